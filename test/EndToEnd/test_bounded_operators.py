"""Operators over a batch, a length or both that only the run knows, against ONNX Runtime."""

import numpy as np
import pytest

from graphs import Bounded
from harness import reference, relative_error

BATCH, LENGTH = 5, 7
EXTENTS = [(1, 1), (3, 7), (5, 4)]


def i8(g, *shape):
    return g.weight(values=g.rng.integers(-60, 60, shape).astype(np.int8))


def u8(g, *shape):
    return g.weight(values=g.rng.integers(0, 255, shape).astype(np.uint8))


def f(g, value):
    return g.weight(values=np.float32(value))


def quantized(g, x):
    return g("QuantizeLinear", x, f(g, 0.03), g.weight(values=np.uint8(120)))


def pair(g):
    return g.open("n", "m", 6)


def image(g):
    return g.open("n", 4, 9, 7)


def bottom(g, x):
    return g("Gather", g("Shape", x), g.int64(1))


ELEMENTWISE = [
    "Abs",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Ceil",
    "Celu",
    "Cos",
    "Cosh",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "HardSigmoid",
    "HardSwish",
    "IsInf",
    "IsNaN",
    "LeakyRelu",
    "Mish",
    "Neg",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
]
REDUCTIONS = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]

CASES = {}
for kind in ELEMENTWISE:
    CASES[kind] = lambda g, kind=kind: g(kind, g("Add", g("Sigmoid", pair(g)), f(g, 1 if kind == "Acosh" else 0)))
for kind in REDUCTIONS:
    CASES["Reduce" + kind] = lambda g, kind=kind: (
        g("Reduce" + kind, x := g("Sigmoid", pair(g)), g.int64(1)),
        g("Reduce" + kind, x, g.int64(0, 2), keepdims=0),
    )
for kind in ["Softmax", "LogSoftmax", "Hardmax"]:
    CASES[kind] = lambda g, kind=kind: (g(kind, x := pair(g), axis=1), g(kind, x, axis=-1))


def case(function):
    CASES[function.__name__] = function
    return function


@case
def arithmetic(g):
    x, y = pair(g), g.open("m", 1)
    return (
        g("Max", x, y),
        g("Min", x, g.weight(6)),
        g("Mean", x, y),
        g("Sum", x, y, y),
        g("Pow", g("Abs", x), g("Abs", y)),
        g("PRelu", x, g.weight(6)),
        g("Clip", x, f(g, -0.5), f(g, 0.7)),
        g("Shrink", x, lambd=0.3, bias=0.1),
    )


@case
def integers(g):
    a, c = g.open("n", "m", kind=np.int32, high=50), g.open("n", 1, kind=np.int32, high=50)
    one = g.weight(values=np.int32(1))
    return (
        g("Mod", a, g("Add", c, one)),
        g("Div", a, g("Add", c, one)),
        g("Where", g("Less", a, c), a, g("Mul", a, c)),
        g("Not", g("And", g("Equal", a, c), g("Greater", a, c))),
    )


@case
def arguments_of_extremes(g):
    x = pair(g)
    return g("ArgMax", x, axis=1), g("ArgMin", x, axis=0, keepdims=0), g("ArgMax", x, axis=2)


@case
def cumulative(g):
    x = pair(g)
    return g("CumSum", x, g.weight(values=np.int64(1))), g(
        "CumSum", x, g.weight(values=np.int64(0)), reverse=1, exclusive=1
    )


@case
def largest(g):
    x = pair(g)
    values, places = g("TopK", x, g.int64(3), outputs=2)
    first, where = g("TopK", x, g.int64(1), axis=1, outputs=2)
    return values, places, first, where


@case
def normalizations(g):
    x, y = pair(g), g.open("n", 6, "m")
    return (
        g("LayerNormalization", x, g.weight(6), g.weight(6)),
        g("InstanceNormalization", y, g.weight(6), g.weight(6)),
        g("LpNormalization", x, axis=1),
        g("BatchNormalization", y, *(g.weight(values=np.abs(g.random(6)) + 0.1) for _ in range(4))),
        g("MeanVarianceNormalization", x, axes=[2]),
    )


@case
def local_response(g):
    return g("LRN", g.open("n", 6, 3, 4), size=3)


@case
def joined(g):
    x, y = pair(g), g.open("n", 2, 6)
    return g("Concat", x, y, x, axis=1), g("Concat", y, g.weight(3, 2, 6), axis=0)


@case
def padded(g):
    x = g.open("n", "m", 6)
    return (
        g("Pad", x, g.int64(1, 2, 0, 0, 3, 1), f(g, 0.5)),
        g("Pad", x, g.int64(0, 2, 1, 0, 1, 1), mode="edge"),
        g("Pad", x, g.int64(0, 1, 0, 0, -1, 0)),
    )


@case
def parts(g):
    x = g.open("n", "m", 6)
    a, b = g("Split", x, axis=2, num_outputs=2, outputs=2)
    return a, b


@case
def tiles(g):
    x = pair(g)
    return g("Tile", x, g.int64(2, 1, 1)), g("Tile", x, g.int64(1, 3, 2))


@case
def expanded(g):
    x, y = g.open("n", 1, 6), g.open("m", 2)
    return g("Expand", x, g("Concat", g.int64(1), g("Shape", y, end=1), g.int64(6), axis=0))


@case
def reshaped(g):
    """Products of two extents, and back."""
    x = pair(g)
    rows = g("Reshape", x, g.int64(-1, 3))
    flat = g("Flatten", x, axis=2)
    back = g("Reshape", g("Relu", flat), g("Shape", x))
    swapped = g("Reshape", x, g("Concat", bottom(g, x), g.int64(-1, 6), axis=0))
    return rows, back, swapped


@case
def slices(g):
    x = pair(g)
    most = g.int64(2**62)
    return (
        g("Slice", x, g.int64(-2), most, g.int64(1)),
        g("Slice", x, g.int64(0), g.int64(-3), g.int64(1)),
        g("Slice", x, g.int64(-1), g.int64(-(2**62)), g.int64(1), g.int64(-1)),
        g("Slice", x, g.int64(1), most, g.int64(1), g.int64(2)),
        g("Slice", x, g.int64(2), g.int64(4), g.int64(1)),
    )


@case
def gathers(g):
    x = pair(g)
    at = g.open("n", "m", kind=np.int64, high=1)
    return (
        g("Gather", x, g.int64(0), axis=1),
        g("Gather", x, g.weight(values=np.array([[1, 5], [0, 2]])), axis=2),
        g("GatherElements", x, g("Unsqueeze", at, g.int64(2)), axis=1),
        g("GatherND", x, g("Unsqueeze", at, g.int64(2)), batch_dims=1),
    )


@case
def scatters(g):
    x, updates = pair(g), g.open("n", "m", 1)
    at = g.open("n", "m", 1, kind=np.int64, high=6)
    return g("ScatterElements", x, at, updates, axis=2, reduction="add")


@case
def triangles(g):
    x = g.open("n", "m", "m")
    return g("Trilu", x), g("Trilu", x, g.weight(values=np.int64(-1)), upper=0)


@case
def one_hot(g):
    ids = g.open("n", "m", kind=np.int64, high=4)
    return g("OneHot", ids, g.weight(values=np.int64(4)), g.weight(values=np.array([0.5, 2], np.float32)))


@case
def reversed_sequences(g):
    x, ones = g.open("m", "n", 6), g.open("n", kind=np.int64, high=1)
    lengths = g("Add", ones, g.weight(values=np.int64(1)))
    return g("ReverseSequence", x, lengths, batch_axis=1, time_axis=0)


@case
def products(g):
    x, y = pair(g), g.open("n", 6, "m")
    return g("MatMul", x, y), g("MatMul", x, g.weight(6, 19)), g("MatMul", g("Transpose", x, perm=[0, 2, 1]), x)


@case
def einsum(g):
    x, y = pair(g), g.open("n", "m", 4)
    return g("Einsum", x, y, equation="nmk,nmj->nkj"), g("Einsum", x, g.weight(6, 5), equation="nmk,kj->nmj")


@case
def convolution(g):
    x = g("Conv", image(g), g.weight(8, 4, 3, 3), g.weight(8), pads=[1, 1, 0, 2], strides=[2, 1])
    x = g("BatchNormalization", x, *(g.weight(values=np.abs(g.random(8)) + 0.1) for _ in range(4)))
    return g("Relu", x)


@case
def grouped_convolution(g):
    x = g("Conv", image(g), g.weight(4, 1, 3, 3), g.weight(4), group=4, auto_pad="SAME_UPPER")
    return g("Conv", x, g.weight(6, 2, 1, 1), group=2)


@case
def pools(g):
    x = image(g)
    return (
        g("MaxPool", x, kernel_shape=[2, 3], strides=[2, 2], pads=[0, 1, 1, 1]),
        g("AveragePool", x, kernel_shape=[3, 2], pads=[1, 0, 1, 1]),
        g("GlobalAveragePool", x),
        g("GlobalMaxPool", x),
        g("LpPool", x, kernel_shape=[2, 2]),
    )


@case
def residual_network(g):
    """A stem, a block with a shortcut, a head."""
    x = g("Relu", g("Conv", image(g), g.weight(8, 4, 3, 3), g.weight(8), pads=[1] * 4))
    y = g("Relu", g("Conv", x, g.weight(8, 8, 3, 3), pads=[1] * 4))
    x = g("MaxPool", g("Relu", g("Add", x, g("Conv", y, g.weight(8, 8, 1, 1)))), kernel_shape=[2, 2], strides=[2, 2])
    return g("Gemm", g("Flatten", x), g.weight(96, 10), g.weight(10))


@case
def rearranged(g):
    x = g.open("n", 8, 2, 6)
    return g("DepthToSpace", x, blocksize=2), g("SpaceToDepth", x, blocksize=2)


@case
def quantize_and_back(g):
    return g("DequantizeLinear", quantized(g, pair(g)), f(g, 0.03), g.weight(values=np.uint8(120)))


@case
def integer_products(g):
    x = quantized(g, pair(g))
    zero = g.weight(values=np.uint8(120))
    return g("MatMulInteger", x, i8(g, 6, 5), zero), g(
        "QLinearMatMul", x, f(g, 0.03), zero, u8(g, 6, 5), f(g, 0.02), g.weight(values=np.uint8(3)), f(g, 0.1), zero
    )


@case
def quantized_convolution(g):
    x = quantized(g, image(g))
    zero = g.weight(values=np.uint8(120))
    return g(
        "QLinearConv",
        x,
        f(g, 0.03),
        zero,
        i8(g, 5, 4, 3, 3),
        f(g, 0.02),
        g.weight(values=np.int8(0)),
        f(g, 0.3),
        zero,
        pads=[1] * 4,
    )


@case
def lstm_of_a_batch(g):
    x = g.open("m", "n", 6)
    h, c = g.open(2, "n", 5), g.open(2, "n", 5)
    w, r, b = g.weight(2, 20, 6), g.weight(2, 20, 5), g.weight(2, 40)
    return tuple(g("LSTM", x, w, r, b, "", h, c, outputs=3, hidden_size=5, direction="bidirectional"))


@case
def gru_of_a_batch(g):
    x = g.open("m", "n", 6)
    ones = g.open("n", kind=np.int32, high=1)
    lengths = g("Add", ones, g.weight(values=np.int32(1)))
    return tuple(
        g("GRU", x, g.weight(1, 15, 6), g.weight(1, 15, 5), g.weight(1, 30), lengths, outputs=2, hidden_size=5)
    )


@case
def rnn_of_two_steps(g):
    return tuple(g("RNN", g.open(2, "n", 6), g.weight(1, 5, 6), g.weight(1, 5, 5), outputs=2, hidden_size=5))


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", CASES)
def test_bounded_operator(tools, name, target):
    if target == "hermes" and name in (*ELEMENTWISE, *("Reduce" + kind for kind in REDUCTIONS)):
        pytest.skip("one digital unit, as on target ideal")
    graph = Bounded(seed=len(name))
    outputs = CASES[name](graph)
    model = graph.model(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    symbols = {extent for extents, _, _ in graph.declared.values() for extent in extents if isinstance(extent, str)}
    low = 3 if name == "largest" else 1
    bounds = {"n": f"1..{BATCH}", "m": f"{low}..{LENGTH}"}
    program = tools.compile(model, *(f"--shape={symbol}={bounds[symbol]}" for symbol in sorted(symbols)), target=target)
    tried = EXTENTS if "m" in symbols else [(1, 1), (4, 1), (5, 1)]
    for n, m in tried:
        feeds = graph.feed(n=n, m=max(m, low))
        wanted = reference(model, feeds)
        got = tools.execute(program, feeds, "--ideal")
        assert set(got) == set(wanted)
        for output, value in wanted.items():
            assert got[output].dtype == value.dtype
            if value.dtype.kind == "f":
                assert relative_error(got[output], value) <= 2e-5, f"{output} at {n}, {m}"
            else:
                assert got[output].shape == value.shape, f"{output} at {n}, {m}"
                most = 1 if value.dtype == np.uint8 else 0  # a sum that lies between two codes
                assert np.abs(got[output].astype(np.int64) - value.astype(np.int64)).max(initial=0) <= most, (
                    f"{output} at {n}, {m}"
                )
