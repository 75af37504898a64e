"""Each operator in a small model of odd shape, compiled and run without noise,
against ONNX Runtime."""

import numpy as np
import pytest

from graphs import Graph
from harness import reference, relative_error

CASES = {}


def case(function):
    """Registers a function that builds a graph and gives its outputs."""
    CASES[function.__name__] = function
    return function


def cases(**builders):
    CASES.update(builders)


# --- products with constant weights -----------------------------------------

cases(
    gemm=lambda g: g("Gemm", g.input(3, 37), g.weight(37, 19), g.weight(19)),
    gemm_transposed=lambda g: g("Gemm", g.input(3, 37), g.weight(19, 37), g.weight(19), transB=1, alpha=0.5, beta=2.0),
    gemm_transposed_input=lambda g: g("Gemm", g.input(37, 3), g.weight(37, 19), transA=1),
    gemm_without_bias=lambda g: g("Gemm", g.input(1, 5), g.weight(5, 1)),
    gemm_scalar_bias=lambda g: g("Gemm", g.input(2, 7), g.weight(7, 3), g.weight(values=np.float32([0.7]))),
    gemm_larger_than_an_array=lambda g: g("Gemm", g.input(2, 701), g.weight(701, 530), g.weight(530)),
    matmul=lambda g: g("MatMul", g.input(3, 37), g.weight(37, 19)),
    matmul_batched=lambda g: g("MatMul", g.input(2, 3, 5, 11), g.weight(11, 7)),
    matmul_vector=lambda g: g("MatMul", g.input(11), g.weight(11, 7)),
    matmul_weight_left=lambda g: g("MatMul", g.weight(7, 11), g.input(11, 3)),
    matmul_of_two_inputs=lambda g: g("MatMul", g.input(2, 3, 5, 11), g.input(3, 11, 4)),
    matmul_add=lambda g: g("Add", g("MatMul", g.input(3, 13), g.weight(13, 6)), g.weight(6)),
    conv=lambda g: g("Conv", g.input(1, 3, 9, 7), g.weight(5, 3, 3, 3), g.weight(5)),
    conv_batch=lambda g: g("Conv", g.input(3, 2, 6, 5), g.weight(4, 2, 3, 2), pads=[1, 0, 1, 1]),
    conv_strided=lambda g: g(
        "Conv", g.input(1, 3, 11, 8), g.weight(5, 3, 3, 3), g.weight(5), strides=[2, 3], pads=[1] * 4
    ),
    conv_dilated=lambda g: g("Conv", g.input(1, 3, 12, 13), g.weight(5, 3, 3, 3), dilations=[2, 3], pads=[2, 3, 1, 0]),
    conv_grouped=lambda g: g("Conv", g.input(1, 6, 7, 5), g.weight(9, 2, 3, 3), g.weight(9), group=3),
    conv_depthwise=lambda g: g("Conv", g.input(1, 6, 7, 5), g.weight(6, 1, 3, 3), g.weight(6), group=6, pads=[1] * 4),
    conv_pointwise=lambda g: g("Conv", g.input(2, 7, 3, 5), g.weight(9, 7, 1, 1), g.weight(9)),
    conv_same_upper=lambda g: g(
        "Conv", g.input(1, 2, 8, 7), g.weight(3, 2, 4, 3), auto_pad="SAME_UPPER", strides=[2, 2]
    ),
    conv_same_lower=lambda g: g(
        "Conv", g.input(1, 2, 8, 7), g.weight(3, 2, 4, 3), auto_pad="SAME_LOWER", strides=[2, 2]
    ),
    conv_valid=lambda g: g("Conv", g.input(1, 2, 8, 7), g.weight(3, 2, 4, 3), auto_pad="VALID"),
    conv_split_rows=lambda g: g("Conv", g.input(1, 64, 5, 4), g.weight(70, 64, 3, 3), g.weight(70), pads=[1] * 4),
    conv_1d=lambda g: g("Conv", g.input(2, 5, 23), g.weight(4, 5, 3), g.weight(4), strides=[2], pads=[2, 1]),
    conv_1d_dilated=lambda g: g("Conv", g.input(1, 5, 23), g.weight(4, 5, 3), dilations=[4]),
    conv_of_input_kernel=lambda g: g("Conv", g.input(1, 2, 6, 5), g.input(3, 2, 3, 2)),
)


def batch_norm(g, x, channels):
    statistics = [g.weight(channels), g.weight(channels), g.weight(channels)]
    return g("BatchNormalization", x, *statistics, g.weight(values=np.abs(g.random(channels)) + 0.3))


@case
def batch_norm_conv(g):
    return g("Conv", batch_norm(g, g.input(1, 3, 7, 5), 3), g.weight(6, 3, 3, 3), g.weight(6))


@case
def batch_norm_padded_conv(g):
    return g("Conv", batch_norm(g, g.input(1, 3, 7, 5), 3), g.weight(6, 3, 3, 3), pads=[1, 1, 1, 1])


@case
def batch_norm_gemm(g):
    return g("Gemm", batch_norm(g, g.input(4, 5), 5), g.weight(5, 7), g.weight(7))


@case
def conv_batch_norm_relu(g):
    return g("Relu", batch_norm(g, g("Conv", g.input(1, 3, 7, 5), g.weight(6, 3, 3, 3), g.weight(6)), 6))


@case
def batch_norm_alone(g):
    return batch_norm(g, g.input(2, 5, 4, 3), 5)


@case
def batch_norm_before_conv(g):
    return g("Conv", batch_norm(g, g.input(1, 5, 6, 4), 5), g.weight(3, 5, 3, 3), pads=[1] * 4)


@case
def gemm_batch_norm(g):
    return batch_norm(g, g("Gemm", g.input(4, 9), g.weight(9, 6), g.weight(6)), 6)


@case
def weights_used_twice(g):
    w = g.weight(9, 9)
    return g("MatMul", g("Relu", g("MatMul", g.input(2, 9), w)), w)


# --- where weights may be ---------------------------------------------------


@case
def weight_in_a_constant_node(g):
    from onnx import numpy_helper

    value = numpy_helper.from_array(g.random(9, 4), "value")
    return g("MatMul", g.input(2, 9), g("Constant", value=value))


@case
def weight_behind_identity_cast_and_transpose(g):
    half = g.weight(values=g.random(4, 9).astype(np.float16))
    w = g("Transpose", g("Identity", g("Cast", half, to=1)), perm=[1, 0])
    return g("MatMul", g.input(2, 9), w)


@case
def weight_behind_dequantize(g):
    q = g.weight(values=g.rng.integers(-127, 128, (9, 4)).astype(np.int8))
    scales = g.weight(values=np.abs(g.random(4)) / 100 + 0.001)
    return g("MatMul", g.input(2, 9), g("DequantizeLinear", q, scales, axis=1))


# --- pooling ----------------------------------------------------------------

cases(
    max_pool=lambda g: g("MaxPool", g.input(1, 3, 9, 7), kernel_shape=[3, 2], strides=[2, 1]),
    max_pool_padded=lambda g: g("MaxPool", g.input(2, 3, 9, 7), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    max_pool_dilated=lambda g: g("MaxPool", g.input(1, 2, 9, 8), kernel_shape=[2, 3], dilations=[2, 2]),
    max_pool_ceil=lambda g: g("MaxPool", g.input(1, 2, 8, 7), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    max_pool_1d=lambda g: g("MaxPool", g.input(1, 2, 13), kernel_shape=[3], strides=[3]),
    average_pool=lambda g: g("AveragePool", g.input(1, 3, 9, 7), kernel_shape=[2, 3], strides=[2, 2]),
    average_pool_padded=lambda g: g("AveragePool", g.input(1, 3, 9, 7), kernel_shape=[3, 3], pads=[1] * 4),
    average_pool_counting_pads=lambda g: g(
        "AveragePool", g.input(1, 3, 9, 7), kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1
    ),
    average_pool_same=lambda g: g("AveragePool", g.input(1, 3, 8, 7), kernel_shape=[3, 2], auto_pad="SAME_UPPER"),
    global_average_pool=lambda g: g("GlobalAveragePool", g.input(2, 5, 7, 3)),
    global_average_pool_1d=lambda g: g("GlobalAveragePool", g.input(2, 5, 7)),
)

# --- elementwise ------------------------------------------------------------

for kind in ("Add", "Sub", "Mul", "Div"):
    cases(
        **{
            f"{kind.lower()}": lambda g, kind=kind: g(kind, g.input(2, 3, 5), g.input(2, 3, 5)),
            f"{kind.lower()}_broadcast": lambda g, kind=kind: g(kind, g.input(2, 1, 5), g.input(3, 1)),
            f"{kind.lower()}_constant": lambda g, kind=kind: g(kind, g.input(2, 3, 5), g.weight(3, 1)),
        }
    )
for kind in ("Neg", "Exp", "Relu", "Sigmoid", "Tanh", "Identity"):
    cases(**{f"{kind.lower()}": lambda g, kind=kind: g(kind, g.input(3, 17))})
cases(
    sqrt=lambda g: g("Sqrt", g.input(values=np.abs(g.random(3, 17)))),
    pow_square=lambda g: g("Pow", g.input(3, 17), g.weight(values=np.float32(2))),
    pow_elementwise=lambda g: g("Pow", g.input(values=np.abs(g.random(3, 5)) + 0.1), g.input(3, 5)),
    leaky_relu=lambda g: g("LeakyRelu", g.input(3, 17), alpha=0.2),
    clip=lambda g: g("Clip", g.input(3, 17), g.weight(values=np.float32(-0.5)), g.weight(values=np.float32(1.25))),
    clip_above_only=lambda g: g("Clip", g.input(3, 17), "", g.weight(values=np.float32(0.3))),
    softmax=lambda g: g("Softmax", g.input(3, 17)),
    softmax_middle_axis=lambda g: g("Softmax", g.input(2, 7, 3), axis=1),
    softmax_of_large_values=lambda g: g("Softmax", g.input(values=g.random(2, 9, scale=300))),
    add_of_integers=lambda g: g("Add", g.input(values=np.arange(6).reshape(2, 3)), g.int64(1, 2, 3)),
    scalar=lambda g: g("Mul", g.input(), g.weight(values=np.float32(3))),
    diamond=lambda g: g("Add", g("Exp", x := g.input(3, 5)), g("Neg", x)),
)

# --- shapes and movement ----------------------------------------------------

cases(
    reshape=lambda g: g("Reshape", g.input(2, 3, 5), g.int64(5, -1)),
    reshape_keep=lambda g: g("Reshape", g.input(2, 3, 5), g.int64(0, 15)),
    flatten=lambda g: g("Flatten", g.input(2, 3, 5), axis=2),
    transpose=lambda g: g("Transpose", g.input(2, 3, 5), perm=[2, 0, 1]),
    transpose_default=lambda g: g("Transpose", g.input(2, 3, 5)),
    concat=lambda g: g("Concat", g.input(2, 3, 5), g.input(2, 1, 5), g.weight(2, 2, 5), axis=1),
    concat_negative_axis=lambda g: g("Concat", g.input(2, 3), g.input(2, 4), axis=-1),
    slice=lambda g: g("Slice", g.input(5, 9), g.int64(1, 2), g.int64(4, 100), g.int64(0, 1), g.int64(1, 3)),
    slice_reversed=lambda g: g("Slice", g.input(5, 9), g.int64(-1), g.int64(-100), g.int64(1), g.int64(-2)),
    split=lambda g: tuple(g("Split", g.input(2, 7, 3), g.int64(3, 4), outputs=2, axis=1)),
    split_equal=lambda g: tuple(g("Split", g.input(7, 3), outputs=3, num_outputs=3)),
    pad=lambda g: g("Pad", g.input(2, 3), g.int64(1, 0, 2, 3), g.weight(values=np.float32(1.5))),
    pad_negative=lambda g: g("Pad", g.input(5, 6), g.int64(-1, 2, 0, -3)),
    pad_reflect=lambda g: g("Pad", g.input(4, 5), g.int64(2, 1, 1, 3), mode="reflect"),
    pad_edge=lambda g: g("Pad", g.input(4, 5), g.int64(2, 1, 1, 3), mode="edge"),
    squeeze=lambda g: g("Squeeze", g.input(1, 3, 1, 2), g.int64(0, 2)),
    squeeze_all=lambda g: g("Squeeze", g.input(1, 3, 1, 2)),
    unsqueeze=lambda g: g("Unsqueeze", g.input(3, 2), g.int64(0, -1)),
    gather=lambda g: g("Gather", g.input(5, 3), g.weight(values=np.array([[0, 4], [-1, 2]])), axis=0),
    gather_axis=lambda g: g("Gather", g.input(2, 5, 3), g.int64(3, 1, 1), axis=1),
    gather_of_input_ids=lambda g: g("Gather", g.weight(11, 4), g.input(values=np.array([[3, 10, 0]]))),
    gather_scalar=lambda g: g("Gather", g.input(5, 3), g.weight(values=np.array(2)), axis=1),
    cast=lambda g: g("Cast", g.input(values=g.random(3, 5, scale=9)), to=7),
    cast_to_float=lambda g: g("Cast", g.input(values=np.arange(-3, 6)), to=1),
    reduce_mean=lambda g: g("ReduceMean", g.input(2, 7, 5), g.int64(1)),
    reduce_mean_axes=lambda g: g("ReduceMean", g.input(2, 7, 5), g.int64(0, -1), keepdims=0),
    reduce_mean_all=lambda g: g("ReduceMean", g.input(2, 7, 5), keepdims=0),
    arg_max=lambda g: g("ArgMax", g.input(3, 17), axis=1),
    arg_max_last=lambda g: g(
        "ArgMax", g.input(values=np.float32([[1, 3, 3], [2, 2, 0]])), axis=-1, keepdims=0, select_last_index=1
    ),
    shape_chain=lambda g: g(
        "Reshape",
        x := g.input(2, 3, 5),
        g("Concat", g("Gather", g("Shape", x), g.int64(0)), g.int64(-1), axis=0),
    ),
    constant_of_shape=lambda g: g("Add", g.input(2, 3), g("ConstantOfShape", g.int64(2, 3))),
    quantize_dequantize=lambda g: g(
        "DequantizeLinear",
        g("QuantizeLinear", g.input(4, 9), s := g.weight(values=np.float32(0.05)), z := g.weight(values=np.uint8(120))),
        s,
        z,
    ),
    quantize_per_channel=lambda g: g(
        "QuantizeLinear",
        g.input(4, 3),
        g.weight(values=np.float32([0.1, 0.03, 0.5])),
        g.weight(values=np.int8([0, -5, 9])),
    ),
    layer_norm_decomposed=lambda g: layer_norm(g, g.input(3, 7, 10)),
)


@case
def dropout(g):
    return g("Add", g("Dropout", g.input(3, 5)), g.weight(values=np.float32(0)))


def layer_norm(g, x):
    centred = g("Sub", x, g("ReduceMean", x, g.int64(-1)))
    variance = g("ReduceMean", g("Pow", centred, g.weight(values=np.float32(2))), g.int64(-1))
    return g("Div", centred, g("Sqrt", g("Add", variance, g.weight(values=np.float32(1e-5)))))


@case
def reshape_target_from_shape(g):
    x = g("Conv", g.input(2, 3, 6, 5), g.weight(4, 3, 3, 3))
    batch = g("Unsqueeze", g("Gather", g("Shape", x), g.weight(values=np.array(0))), g.int64(0))
    return g("Gemm", g("Reshape", x, g("Concat", batch, g.int64(-1), axis=0)), g.weight(48, 5))


@case
def two_outputs_one_an_input(g):
    x = g.input(2, 6)
    return g("Relu", x), g("MatMul", x, g.weight(6, 3))


@case
def residual_block(g):
    x = g("Relu", g("Conv", g.input(1, 3, 6, 6), g.weight(8, 3, 3, 3), g.weight(8), pads=[1] * 4))
    y = g("Conv", x, g.weight(8, 8, 3, 3), g.weight(8), pads=[1] * 4)
    short = g(
        "Pad",
        g("Slice", x, g.int64(0, 0), g.int64(6, 6), g.int64(2, 3), g.int64(2, 2)),
        g.int64(0, 0, 0, 0, 0, 0, 0, 0),
    )
    y = g("Slice", y, g.int64(0, 0), g.int64(6, 6), g.int64(2, 3), g.int64(2, 2))
    return g("GlobalAveragePool", g("Relu", g("Add", y, short)))


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", CASES)
def test_operator(tools, name, target):
    graph = Graph(seed=len(name))
    outputs = CASES[name](graph)
    model = graph.model(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    wanted = reference(model, graph.feeds)
    got = tools.execute(tools.compile(model, target=target), graph.feeds, "--ideal")
    assert set(got) == set(wanted)
    for output, value in wanted.items():
        assert got[output].dtype == value.dtype
        if value.dtype.kind == "f":
            assert relative_error(got[output], value) <= 1e-5
        else:
            np.testing.assert_array_equal(got[output], value)


@pytest.mark.parametrize("opset", [7, 9, 11, 13, 17, 21, 23])
def test_opset(tools, opset):
    """Operators whose attributes became inputs, at the opsets exporters use."""
    graph = Graph(seed=opset, opset=opset)
    x = graph("Conv", graph.input(1, 3, 6, 5), graph.weight(4, 3, 3, 3), pads=[1] * 4)
    if opset >= 11:
        x = graph("Clip", x, graph.weight(values=np.float32(0)), graph.weight(values=np.float32(6)))
    else:
        x = graph("Clip", x, min=0.0, max=6.0)
    x = (
        graph("ReduceMean", x, graph.int64(2, 3), keepdims=0)
        if opset >= 18
        else graph("ReduceMean", x, axes=[2, 3], keepdims=0)
    )
    x = graph("Unsqueeze", x, graph.int64(0)) if opset >= 13 else graph("Unsqueeze", x, axes=[0])
    model = graph.model(
        graph("Softmax", graph("Squeeze", x, graph.int64(0)) if opset >= 13 else graph("Squeeze", x, axes=[0]), axis=1)
    )
    wanted = reference(model, graph.feeds)
    got = tools.execute(tools.compile(model), graph.feeds, "--ideal")
    for output, value in wanted.items():
        assert relative_error(got[output], value) <= 1e-5
