"""Dimensions whose extent only the run knows, against ONNX Runtime: one program
for every extent up to its bound."""

import numpy as np
import onnx
import pytest

from graphs import Bounded
from harness import reference, relative_error

BOUND = 9
EXTENTS = [1, 4, 9]


CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


@case
def elementwise(g):
    x, y = g.open(2, "n", 5), g.open("n", 1)
    return g("Where", g("Greater", x, y), g("Exp", x), g("Mul", g("Tanh", y), g.weight(values=np.float32(0.3))))


@case
def product_with_weights(g):
    return g("Add", g("MatMul", g.open(1, "n", 37), g.weight(37, 19)), g.weight(19))


@case
def gemm(g):
    return g("Gemm", g.open("n", 37), g.weight(19, 37), g.weight(19), transB=1)


@case
def transposed(g):
    return g("Transpose", g.open(2, "n", 3), perm=[1, 2, 0])


@case
def reductions(g):
    x = g.open(2, "n", 3)
    return g("ReduceMean", x, g.int64(1)), g("ReduceSum", x, g.int64(2), keepdims=0), g("ReduceMax", x, g.int64(1))


@case
def softmax_over_it(g):
    return g("Softmax", g.open(2, "n", 3), axis=1), g("Softmax", g.open(2, "n"), axis=-1)


@case
def layer_norm(g):
    return g("LayerNormalization", g.open(1, "n", 10), g.weight(10), g.weight(10), outputs=1)


@case
def embedding(g):
    return g("Gather", g.weight(11, 4), g.open(1, "n", kind=np.int64, high=11))


@case
def heads(g):
    """Reshape targets with 0 and -1, and computed from the shape."""
    x = g.open(1, "n", 12)
    n = g("Gather", g("Shape", x), g.int64(1))
    to_heads = g("Reshape", x, g("Concat", g.int64(1), n, g.int64(3, 4), axis=0))
    back = g("Reshape", g("Transpose", to_heads, perm=[0, 2, 1, 3]), g.int64(3, -1, 4))
    return g("Reshape", x, g.int64(0, -1, 2, 6)), back


@case
def attention(g):
    x = g.open(1, "n", 12)
    q, k, v = (g("MatMul", x, g.weight(12, 12)) for _ in range(3))

    def split(y, perm):
        return g("Transpose", g("Reshape", y, g.int64(0, -1, 3, 4)), perm=perm)

    scores = g("MatMul", split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1]))
    mixed = g("MatMul", g("Softmax", scores, axis=-1), split(v, [0, 2, 1, 3]))
    return g("Reshape", g("Transpose", mixed, perm=[0, 2, 1, 3]), g.int64(0, 0, 12))


@case
def causal_mask(g):
    """A constant mask cut to the extent."""
    x = g.open("n", 6)
    n = g("Unsqueeze", g("Gather", g("Shape", x), g.weight(values=np.array(0))), g.int64(0))
    mask = np.triu(np.full((BOUND, BOUND), -1e9, np.float32), 1)
    cut = g("Slice", g("Slice", g.weight(values=mask), g.int64(0), n, g.int64(0)), g.int64(0), n, g.int64(1))
    scores = g("Add", g("MatMul", x, g("Transpose", x, perm=[1, 0])), cut)
    return g("MatMul", g("Softmax", scores, axis=-1), x)


@case
def joined(g):
    """A fixed part in front, so that the result is longer than the input."""
    return g("Concat", g.weight(2, 3), g.open("n", 3), axis=0)


@case
def slices(g):
    x = g.open("n", 6)
    most = g.int64(2**31 - 1)
    return (
        g("Slice", x, g.int64(-1), most, g.int64(0)),
        g("Slice", x, g.int64(1), most, g.int64(0)),
        g("Slice", x, g.int64(2), g.int64(5), g.int64(1)),
        g("Slice", x, g.int64(0), g.int64(-1), g.int64(0)),
    )


@case
def positions(g):
    """Range and Expand to the extent."""
    x = g.open(1, "n", 4)
    n = g("Gather", g("Shape", x), g.weight(values=np.array(1)))
    zero, one = g.weight(values=np.array(0)), g.weight(values=np.array(1))
    steps = g("Range", zero, n, one)
    table = g("Gather", g.weight(BOUND, 4), steps)
    row = g("Expand", g.weight(1, 4), g("Concat", g("Unsqueeze", n, g.int64(0)), g.int64(4), axis=0))
    return g("Add", g("Add", x, table), row)


@case
def numbers_of_sequences(g):
    """As masks of transformers are exported: indices of a fixed batch beside those of the run."""
    x = g.open(2, "n", 4)
    shape = g("Shape", g("Add", x, g.weight(4)))
    zero, one = g.weight(values=np.array(0)), g.weight(values=np.array(1))
    batch, length = (g("Range", zero, g("Gather", shape, place), one) for place in (zero, one))
    sums = g("Add", g("Unsqueeze", batch, g.int64(1)), g("Unsqueeze", length, g.int64(0)))
    return g("Mul", x, g("Unsqueeze", g("Cast", sums, to=1), g.int64(2)))


@case
def length_as_a_value(g):
    """The extent is a number to compute with, too."""
    x = g.open("n", 3)
    n = g("Cast", g("Gather", g("Shape", x), g.weight(values=np.array(0))), to=1)
    return g("Div", g("ReduceSum", x, g.int64(0)), n)


@case
def lstm(g):
    x = g.open("n", 2, 7)
    w, r, b = g.weight(2, 24, 7), g.weight(2, 24, 6), g.weight(2, 48)
    return tuple(g("LSTM", x, w, r, b, outputs=3, hidden_size=6, direction="bidirectional"))


@case
def gru_of_lengths(g):
    x = g.open("n", 2, 7)
    w, r, b = g.weight(1, 18, 7), g.weight(1, 18, 6), g.weight(1, 36)
    lengths = g.input(values=np.array([1, 1], np.int32))
    return tuple(g("GRU", x, w, r, b, lengths, outputs=2, hidden_size=6, direction="reverse", linear_before_reset=1))


@case
def recurrent_head(g):
    """As a language model: ids in, logits of every step out."""
    ids = g.open(1, "n", kind=np.int64, high=11)
    x = g("Transpose", g("Gather", g.weight(11, 5), ids), perm=[1, 0, 2])
    y, h = g("RNN", x, g.weight(1, 8, 5), g.weight(1, 8, 8), outputs=2, hidden_size=8)
    y = g("Transpose", g("Squeeze", y, g.int64(1)), perm=[1, 0, 2])
    return g("MatMul", y, g.weight(8, 11)), h


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", CASES)
def test_bounded(tools, name, target):
    graph = Bounded(seed=len(name))
    outputs = CASES[name](graph)
    model = graph.model(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    program = tools.compile(model, f"--shape=n=1..{BOUND}", target=target)
    for extent in EXTENTS:
        feeds = graph.feed(n=extent)
        wanted = reference(model, feeds)
        got = tools.execute(program, feeds, "--ideal")
        assert set(got) == set(wanted)
        for output, value in wanted.items():
            assert got[output].dtype == value.dtype
            assert relative_error(got[output], value) <= 2e-5, f"{output} at {extent}"


def refused(tools, build, *options):
    graph = Bounded()
    model = graph.model(build(graph))
    onnx.save(model, tools.folder / "m.onnx")
    return tools.refuse("mhoc", tools.folder / "m.onnx", "-o", "m.mho", *options)


def test_an_operator_without_bounded_form_is_named(tools):
    message = refused(tools, lambda g: g("MaxPool", g.open(1, "n", 4), kernel_shape=[2]), "--shape=n=2..9")
    assert "MaxPool_0" in message and "axis 1 of the image has the extent n, at most 9" in message
    assert "--shape" in message


@pytest.mark.parametrize("range_", ["5..2", "1..", "..4", "a..b", "0..0"])
def test_a_range_that_is_none(tools, range_):
    message = refused(tools, lambda g: g("Relu", g.open("n", 2)), f"--shape=n={range_}")
    assert "is no range of extents such as 1..512" in message


def test_an_input_beyond_the_bound_is_refused(tools):
    graph = Bounded()
    model = graph.model(graph("Relu", graph.open("n", 2)))
    program = tools.compile(model, "--shape=n=1..9")
    np.savez(tools.folder / "in.npz", x0=np.zeros((1, 10, 2), np.float32))
    message = tools.refuse("mho-run", program, "--input", tools.folder / "in.npz", "--output", "o.npz")
    assert "x0" in message
