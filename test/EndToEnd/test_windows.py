"""Unusual windows: transposed convolutions, pools of all kinds and ranks,
convolutions of volumes, at odd shapes against ONNX Runtime."""

import numpy as np
import onnx.reference
import pytest

from graphs import Graph
from harness import check

# --- transposed convolution -------------------------------------------------

TRANSPOSED = {
    "plain": dict(),
    "strided": dict(strides=[2, 3]),
    "padded": dict(strides=[2, 2], pads=[1, 0, 2, 1]),
    "dilated": dict(dilations=[2, 3], strides=[2, 1], pads=[1, 1, 1, 1]),
    "output_padding": dict(strides=[3, 2], output_padding=[2, 1]),
    "output_shape": dict(strides=[3, 2], output_shape=[14, 7]),
    "same_upper": dict(strides=[2, 2], auto_pad="SAME_UPPER"),
    "same_lower": dict(strides=[3, 1], auto_pad="SAME_LOWER"),
    "stride_beyond_kernel": dict(strides=[5, 4]),
    "stride_as_kernel": dict(strides=[3, 2]),
}


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("form", TRANSPOSED)
def test_conv_transpose(tools, form, target):
    g = Graph(seed=len(form), opset=11)
    y = g("ConvTranspose", g.input(2, 4, 5, 4), g.weight(4, 3, 3, 2), g.weight(3), **TRANSPOSED[form])
    check(tools, g, y, target=target)


@pytest.mark.parametrize("spatial", [(9,), (3, 4, 2)])
def test_conv_transpose_of_other_ranks(tools, spatial):
    g = Graph()
    rank = len(spatial)
    y = g(
        "ConvTranspose",
        g.input(2, 4, *spatial),
        g.weight(4, 3, *[3] * rank),
        strides=[2] * rank,
        pads=[1] * 2 * rank,
    )
    check(tools, g, y)


@pytest.mark.parametrize("groups, outputs", [(2, 3), (4, 1), (4, 2)])
def test_conv_transpose_in_groups(tools, groups, outputs):
    g = Graph()
    w = g.weight(4, outputs, 3, 3)
    check(tools, g, g("ConvTranspose", g.input(1, 4, 5, 4), w, group=groups, strides=[2, 2]))


def test_conv_transpose_of_computed_weights(tools):
    g = Graph()
    check(tools, g, g("ConvTranspose", g.input(1, 4, 5, 4), g.input(4, 3, 3, 3), strides=[2, 2]))


def test_conv_transpose_stays_on_an_array(tools):
    """Constant weights are a stationary product, not rewritten per call."""
    g = Graph()
    x = g("Conv", g.input(1, 3, 6, 5), g.weight(8, 3, 3, 3))
    model = g.model(g("ConvTranspose", x, g.weight(8, 4, 2, 2), strides=[2, 2]))
    (tools.folder / "m.onnx").write_bytes(model.SerializeToString())
    text = tools.succeed("mhoc", "m.onnx", "--compile-to=analog", "-o", "-").out
    assert text.count("analog.matmul") == 2 and "graph.matmul" not in text


def test_col2im(tools):
    g = Graph(opset=18)
    x = g.input(2, 3 * 6, 20)
    strided = g.input(1, 2 * 4, 12)
    check(
        tools,
        g,
        (
            g("Col2Im", x, g.int64(5, 7), g.int64(2, 3)),
            g("Col2Im", strided, g.int64(7, 8), g.int64(2, 2), strides=[2, 3], pads=[1, 1, 0, 1], dilations=[1, 2]),
        ),
    )


# --- pools ------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("spatial", [(13,), (7, 6), (5, 4, 6)])
def test_max_pool_with_places(tools, spatial, order):
    g = Graph()
    rank = len(spatial)
    x = g.input(values=g.rng.integers(-3, 3, (2, 3, *spatial)).astype(np.float32))
    y, places = g(
        "MaxPool", x, outputs=2, kernel_shape=[3] * rank, strides=[2] * rank, pads=[1] * 2 * rank, storage_order=order
    )
    if order == 0 or rank == 2:
        check(tools, g, (y, places))
        return
    # Only matrices have another order in ONNX Runtime.
    row_major = Graph()
    row_major.inputs, row_major.feeds = g.inputs, g.feeds
    check(tools, g, y)


def test_max_pool_places_with_ceil_and_dilation(tools):
    g = Graph()
    x = g.input(1, 2, 8, 9)
    check(tools, g, g("MaxPool", x, outputs=2, kernel_shape=[2, 3], dilations=[2, 1], strides=[3, 2], ceil_mode=1))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_max_pool_of_integers(tools, dtype):
    g = Graph()
    x = g.input(values=g.rng.integers(0, 256, (1, 2, 7, 6)).astype(np.uint8).view(dtype))
    check(tools, g, g("MaxPool", x, kernel_shape=[3, 2], pads=[1, 0, 1, 1]))


def test_max_unpool(tools):
    g = Graph()
    x = g.input(1, 2, 6, 8)
    y, places = g("MaxPool", x, outputs=2, kernel_shape=[2, 2], strides=[2, 2])
    back = g("MaxUnpool", y, places, kernel_shape=[2, 2], strides=[2, 2])
    check(tools, g, back)


@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("opset", [11, 18])
def test_lp_pool(tools, p, opset):
    g = Graph(opset=opset)
    x = g.input(1, 2, 9, 8)
    more = dict(dilations=[2, 1], ceil_mode=1) if opset == 18 else {}
    check(tools, g, g("LpPool", x, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], p=p, **more))
    check(tools, g, g("GlobalLpPool", g("Relu", x), p=p))


@pytest.mark.parametrize("count_pads", [0, 1])
@pytest.mark.parametrize("ceil", [0, 1])
@pytest.mark.parametrize("dilation", [1, 2])
def test_average_pool(tools, count_pads, ceil, dilation):
    g = Graph(opset=19)
    for spatial in [(11,), (9, 8), (5, 7, 6)]:
        rank = len(spatial)
        window = dict(kernel_shape=[3] * rank, strides=[2] * rank, pads=[1] * 2 * rank, dilations=[dilation] * rank)
        y = g("AveragePool", g.input(1, 2, *spatial), **window, count_include_pad=count_pads, ceil_mode=ceil)
        wanted = onnx.reference.ReferenceEvaluator(g.model(y)).run(None, g.feeds)[0]
        check(tools, g, y, wanted={y: wanted})


# --- convolutions of other ranks --------------------------------------------


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("constant_weights", [True, False])
def test_conv_of_volumes(tools, groups, constant_weights):
    g = Graph()
    shape = (8, 4 // groups, 2, 3, 2)
    w = g.weight(*shape) if constant_weights else g.input(*shape)
    check(tools, g, g("Conv", g.input(2, 4, 5, 6, 4), w, g.weight(8), group=groups, strides=[1, 2, 1], pads=[1] * 6))


def test_conv_of_four_axes(tools):
    """ONNX Runtime stops at three spatial axes; a loop nest at eight dims."""
    g = Graph()
    y = g("Conv", g.input(1, 2, 3, 4, 3, 3), g.weight(3, 2, 2, 2, 2, 2))
    wanted = onnx.reference.ReferenceEvaluator(g.model(y)).run(None, g.feeds)[0]
    check(tools, g, y, wanted={y: wanted})


# --- many parts of one tensor -------------------------------------------------


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_many_groups(tools, target):
    """A group is an array of its own, and its result a part of the whole."""
    g = Graph(seed=3)
    x = g("Relu", g("Conv", g.input(2, 24, 7, 6), g.weight(36, 2, 3, 3), g.weight(36), group=12, pads=[1] * 4))
    y = g("Conv", x, g.weight(24, 3, 1, 1), group=12)
    check(tools, g, g("Add", y, y), target=target)


def test_many_parts_with_other_readers(tools):
    """Parts that are inputs, outputs, or there twice, and a whole that is changed after."""
    g = Graph(seed=4)
    x = g.input(3, 5)
    parts = [x, g("Exp", x)]
    while len(parts) < 14:
        parts.append(g("Sin", parts[-1]))
    parts += [parts[3], parts[5]]
    whole = g("Concat", *parts, axis=1)
    check(tools, g, [g("Mul", whole, whole), g("Add", parts[7], parts[3]), whole])
