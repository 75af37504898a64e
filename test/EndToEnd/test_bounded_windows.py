"""Windows along axes whose extent only the run knows, against ONNX Runtime."""

import numpy as np
import pytest

from graphs import Bounded
from harness import BoundedCases, reference, relative_error

MOST = 23
CASES = BoundedCases()
case = CASES.case


def sound(g, channels=3):
    return g.open("n", channels, "w")


def page(g, channels=3):
    """A line of text: fixed height, free width."""
    return g.open("n", channels, 9, "w")


def image(g, channels=3):
    return g.open("n", channels, "h", "w")


@case(1)
def conv_with_pads(g):
    return g("Conv", sound(g), g.weight(5, 3, 3), g.weight(5), pads=[1, 1])


@case(5)
def conv_with_strides(g):
    x = sound(g)
    return g("Conv", x, g.weight(5, 3, 5), strides=[2]), g("Conv", x, g.weight(4, 3, 4), strides=[3], pads=[0, 2])


@case(7)
def conv_with_dilation(g):
    return g("Conv", sound(g), g.weight(5, 3, 3), g.weight(5), dilations=[3], pads=[2, 1], strides=[2])


@case(1)
def conv_same(g):
    x = sound(g)
    return tuple(
        g("Conv", x, g.weight(4, 3, k), g.weight(4), auto_pad=kind, strides=[s])
        for kind, k, s in [("SAME_UPPER", 3, 2), ("SAME_LOWER", 4, 3), ("SAME_UPPER", 4, 1), ("SAME_LOWER", 2, 5)]
    )


@case(3)
def conv_valid(g):
    return g("Conv", sound(g), g.weight(4, 3, 3), g.weight(4), auto_pad="VALID", strides=[2])


@case(4)
def conv_of_images(g):
    return g("Conv", image(g), g.weight(6, 3, 3, 4), g.weight(6), pads=[1, 0, 2, 1], strides=[2, 1])


@case(1)
def conv_same_of_images(g):
    x = g("Conv", image(g), g.weight(6, 3, 3, 3), g.weight(6), auto_pad="SAME_UPPER", strides=[2, 2])
    return g("Relu", g("Conv", g("Relu", x), g.weight(5, 6, 3, 3), auto_pad="SAME_LOWER", strides=[2, 3]))


@case(1)
def conv_in_groups(g):
    x = page(g, 4)
    x = g("Conv", x, g.weight(4, 1, 3, 3), g.weight(4), group=4, pads=[1] * 4)
    return g("Conv", x, g.weight(6, 2, 3, 3), group=2, pads=[1] * 4, strides=[1, 2])


@case(3)
def conv_of_volumes(g):
    return g("Conv", g.open("n", 2, 4, 5, "w"), g.weight(3, 2, 3, 2, 3), g.weight(3), strides=[1, 2, 2])


@case(3)
def conv_of_computed_weights(g):
    w = g("Relu", g.open(4, 3, 3))
    return g("Conv", sound(g), w, strides=[2])


@case(1)
def residual(g):
    """A stem, a strided block with a shortcut, a head that reads what is left of the width."""
    x = g("Relu", g("Conv", page(g), g.weight(8, 3, 3, 3), g.weight(8), pads=[1] * 4))
    x = g("BatchNormalization", x, *(g.weight(values=np.abs(g.random(8)) + 0.1) for _ in range(4)))
    y = g("Relu", g("Conv", x, g.weight(6, 8, 3, 3), pads=[1] * 4, strides=[2, 2]))
    y = g("Conv", y, g.weight(6, 6, 3, 3), g.weight(6), pads=[1] * 4)
    x = g("Relu", g("Add", y, g("Conv", x, g.weight(6, 8, 1, 1), strides=[2, 2])))
    x = g("Transpose", g("ReduceMean", x, g.int64(2), keepdims=0), perm=[0, 2, 1])
    return g("MatMul", x, g.weight(6, 10)), g("GlobalAveragePool", y)


@case(1)
def wide_products(g):
    """Matrices of several arrays, by rows and by columns."""
    x = g.open("n", 100, "w")
    x = g("Relu", g("Conv", x, g.weight(280, 100, 3), g.weight(280), pads=[1, 1]))
    return g("Conv", x, g.weight(4, 280, 3), pads=[0, 2], strides=[2])


@case(2)
def max_pools(g):
    x = sound(g)
    return (
        g("MaxPool", x, kernel_shape=[2]),
        g("MaxPool", x, kernel_shape=[2], strides=[2]),
        g("MaxPool", x, kernel_shape=[3], strides=[2], pads=[1, 1], ceil_mode=1),
        g("MaxPool", x, kernel_shape=[2], strides=[3], ceil_mode=1),
        g("MaxPool", x, kernel_shape=[3], auto_pad="SAME_UPPER", strides=[2]),
        g("MaxPool", x, kernel_shape=[2], auto_pad="SAME_LOWER"),
        g("MaxPool", g("Neg", g("Abs", x)), kernel_shape=[3], pads=[1, 1], dilations=[1]),
    )


@case(4)
def max_pool_of_images(g):
    x = image(g)
    y = g("Relu", g("MaxPool", x, kernel_shape=[2, 3], strides=[2, 2], pads=[0, 1, 1, 1], dilations=[1, 2]))
    return y, g("MaxPool", y, kernel_shape=[2, 1])


@case(3)
def places_of_maxima(g):
    x = image(g)
    return (
        *g("MaxPool", x, kernel_shape=[2, 3], strides=[2, 1], pads=[1, 1, 0, 1], outputs=2),
        *g("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, storage_order=1, outputs=2),
    )


@case(3)
def average_pools(g):
    x = sound(g)
    return tuple(
        g("AveragePool", x, **attributes)
        for attributes in [
            {"kernel_shape": [3]},
            {"kernel_shape": [3], "strides": [2], "pads": [1, 1]},
            {"kernel_shape": [3], "strides": [2], "pads": [1, 2], "count_include_pad": 1},
            {"kernel_shape": [3], "strides": [2], "pads": [1, 1], "ceil_mode": 1},
            {"kernel_shape": [3], "auto_pad": "SAME_UPPER", "strides": [2]},
            {"kernel_shape": [4], "auto_pad": "SAME_LOWER", "strides": [3]},
        ]
    )


@case(3)
def average_pool_of_images(g):
    x = image(g)
    return (
        g("AveragePool", x, kernel_shape=[2, 3], strides=[2, 2], pads=[1, 1, 0, 1]),
        g("AveragePool", x, kernel_shape=[3, 3], strides=[1, 2], ceil_mode=1),
    )


@case(3)
def norm_pools(g):
    x = image(g)
    return (
        g("LpPool", x, kernel_shape=[2, 2]),
        g("LpPool", x, kernel_shape=[3, 2], p=1, strides=[2, 2], pads=[1, 0, 1, 1]),
        g("LpPool", x, kernel_shape=[2, 3], p=3, strides=[1, 2]),
    )


@case(3)
def keyword_net(g):
    """Depthwise and pointwise convolutions over a spectrum of free length."""
    x = g(
        "Relu",
        g("Conv", g.open("n", 1, "w", 10), g.weight(8, 1, 5, 4), g.weight(8), auto_pad="SAME_UPPER", strides=[2, 2]),
    )
    for _ in range(2):
        x = g("Relu", g("Conv", x, g.weight(8, 1, 3, 3), g.weight(8), group=8, pads=[1] * 4))
        x = g("Relu", g("Conv", x, g.weight(8, 8, 1, 1), g.weight(8)))
    return g("Gemm", g("Flatten", g("GlobalAveragePool", x)), g.weight(8, 4), g.weight(4))


@case(8)
def text_lines(g):
    """A recognizer of text: convolutions, pools of height and width, a recurrence along what is left of the width."""
    x = g(
        "MaxPool",
        g("Relu", g("Conv", g.open("n", 1, 8, "w"), g.weight(6, 1, 3, 3), pads=[1] * 4)),
        kernel_shape=[2, 2],
        strides=[2, 2],
    )
    x = g("MaxPool", g("Relu", g("Conv", x, g.weight(8, 6, 3, 3), pads=[1] * 4)), kernel_shape=[4, 2], strides=[4, 1])
    x = g("Transpose", g("Squeeze", x, g.int64(2)), perm=[2, 0, 1])
    y, *_ = g(
        "LSTM",
        x,
        g.weight(2, 20, 8),
        g.weight(2, 20, 5),
        g.weight(2, 40),
        outputs=3,
        hidden_size=5,
        direction="bidirectional",
    )
    y = g("Reshape", g("Transpose", y, perm=[0, 2, 1, 3]), g.int64(0, 0, -1))
    return g("LogSoftmax", g("MatMul", y, g.weight(10, 7)), axis=-1)


def quantized(g, x):
    return g("QuantizeLinear", x, g.weight(values=np.float32(0.03)), g.weight(values=np.uint8(120)))


def codes(g, *shape):
    return g.weight(values=g.rng.integers(-60, 60, shape).astype(np.int8))


@case(3)
def quantized_convolutions(g):
    """Their border is the zero point."""
    x, zero = quantized(g, page(g)), g.weight(values=np.uint8(120))
    scale, fine = g.weight(values=np.float32(0.03)), g.weight(values=np.float32(0.02))
    none, wide = g.weight(values=np.int8(0)), g.weight(values=np.float32(0.3))
    return (
        g("QLinearConv", x, scale, zero, codes(g, 4, 3, 3, 3), fine, none, wide, zero, pads=[1] * 4, strides=[1, 2]),
        g("ConvInteger", x, codes(g, 4, 3, 3, 3), zero, pads=[1, 0, 1, 2], strides=[2, 1]),
        g("MaxPool", x, kernel_shape=[2, 2], auto_pad="SAME_UPPER", strides=[2, 2]),
    )


@case(3)
def pools_of_volumes(g):
    x = g.open("n", 2, 4, 5, "w")
    return (
        g("MaxPool", x, kernel_shape=[2, 2, 2], strides=[1, 2, 2]),
        g("AveragePool", x, kernel_shape=[2, 2, 3], pads=[0, 1, 1, 1, 0, 1]),
        g("Conv", x, g.weight(3, 2, 2, 3, 3), auto_pad="SAME_UPPER", strides=[2, 1, 2]),
    )


@case(4)
def columns_that_data_choose(g):
    """The width is a count: of what a mask leaves, and four more."""
    x, mask = sound(g), g.open("w", kind=np.int64, high=2)
    x = g("Concat", x, g("Slice", x, g.int64(0), g.int64(4), g.int64(2)), axis=2)
    kept = g("Concat", g("Cast", mask, to=9), g.weight(values=np.ones(4, bool)), axis=0)
    x = g("Compress", x, kept, axis=2)
    return g("Conv", x, g.weight(4, 3, 3), pads=[1, 1]), g("AveragePool", x, kernel_shape=[3], strides=[2])


def bounds_of(graph, low):
    symbols = sorted({e for extents, _, _ in graph.declared.values() for e in extents if isinstance(e, str)})
    limits = {"n": "1..3", "w": f"{low}..{MOST}", "h": f"{low}..{low + 6}"}
    return [f"--shape={symbol}={limits[symbol]}" for symbol in symbols]


@pytest.mark.parametrize(
    ("name", "target"), [(name, target) for name, (_, _, targets) in CASES.items() for target in targets]
)
def test_windows(tools, name, target):
    function, low, _ = CASES[name]
    graph = Bounded(seed=len(name))
    outputs = function(graph)
    model = graph.model(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    program = tools.compile(model, *bounds_of(graph, low), target=target)
    for n, w, h in [(3, MOST, low + 6), (1, low, low), (2, low + 1, low + 3), (1, 12, low + 5), (2, 17, low + 2)]:
        feeds = graph.feed(n=n, w=w, h=h)
        wanted = reference(model, feeds)
        got = tools.execute(program, feeds, "--ideal")
        for output, value in wanted.items():
            assert got[output].dtype == value.dtype
            if value.dtype == np.uint8:  # a sum that lies between two codes
                assert got[output].shape == value.shape
                assert np.abs(got[output].astype(int) - value).max() <= 1, f"{output} at n={n}, w={w}, h={h}"
            else:
                assert relative_error(got[output], value) <= 2e-5, f"{output} at n={n}, w={w}, h={h}"


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_many_runs_of_a_short_input(tools, target):
    """What runs before left in memory is seen by none: their extents were others' or the same."""
    graph = Bounded(seed=5)
    x = g_conv = graph(
        "Conv", page(graph), graph.weight(4, 3, 3, 3), graph.weight(4), auto_pad="SAME_UPPER", strides=[2, 2]
    )
    x = graph("AveragePool", graph("Relu", x), kernel_shape=[3, 3], pads=[1] * 4)
    model = graph.model(x, g_conv)
    program = tools.compile(model, "--shape=n=1..2", f"--shape=w=1..{MOST}", target=target)
    for w in (MOST, 6, 1):
        feeds = [graph.feed(n=2, w=w) for _ in range(40)]
        got = tools.execute(program, {"x0": np.stack([each["x0"] for each in feeds])}, "--ideal")
        for i, each in enumerate(feeds):
            for output, value in reference(model, each).items():
                assert relative_error(got[output][i], value) <= 2e-5, f"{output} of run {i} at w={w}"


def test_a_window_that_does_not_fit_ends_the_run(tools):
    graph = Bounded()
    model = graph.model(graph("Conv", sound(graph, 2), graph.weight(3, 2, 5), name="stem"))
    program = tools.compile(model, "--shape=n=1..2", "--shape=w=1..9", target="ideal")
    np.savez(tools.folder / "in.npz", **graph.feed(n=1, w=4))
    message = tools.refuse("mho-run", program, "--input", tools.folder / "in.npz", "--output", "o.npz")
    assert "stem" in message
    np.savez(tools.folder / "in.npz", **graph.feed(n=1, w=5))
    tools.succeed("mho-run", program, "--input", tools.folder / "in.npz", "--output", "o.npz")
