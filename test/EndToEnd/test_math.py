"""Arithmetic element by element: functions, activations, integers and bits, of
every type, against ONNX Runtime or ONNX's evaluator."""

import numpy as np
import onnx
import pytest
from oracle import check

from graphs import Graph

FLOATS = {np.float32: 2e-6, np.float64: 1e-12, np.float16: 1e-3}
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0]


def odd_values(graph, dtype, scale=2.0):
    """Random numbers of odd count with the special ones among them."""
    return np.concatenate([graph.random(30, scale=scale).astype(dtype), np.array(SPECIAL, dtype)])


@pytest.mark.parametrize("dtype", FLOATS)
def test_functions(tools, dtype):
    graph = Graph(1, opset=22)
    x = graph.input(values=odd_values(graph, dtype))
    kinds = "Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Abs Sign Neg Sqrt Reciprocal Exp Floor Ceil Round"
    outputs = [graph(kind, x) for kind in kinds.split()]
    outputs += [graph("IsNaN", x), graph("IsInf", x)]
    outputs += [graph("IsInf", x, detect_negative=0), graph("IsInf", x, detect_positive=0)]
    check(tools, graph, *outputs, rtol=FLOATS[dtype], atol=0 if dtype == np.float64 else 1e-7, runtime=False)


@pytest.mark.parametrize("dtype", FLOATS)
def test_activations(tools, dtype):
    graph = Graph(2, opset=24)
    x = graph.input(values=graph.random(3, 5, 7, scale=4).astype(dtype))
    slope = graph.weight(values=graph.random(5, 1).astype(dtype))
    outputs = [
        graph(kind, x) for kind in ["Elu", "Celu", "Selu", "ThresholdedRelu", "HardSigmoid", "HardSwish", "Softplus"]
    ]
    outputs += [graph(kind, x) for kind in ["Softsign", "Mish", "Swish", "Relu", "Sigmoid", "Shrink", "LeakyRelu"]]
    outputs += [
        graph("Elu", x, alpha=0.7),
        graph("Celu", x, alpha=1.7),
        graph("Selu", x, alpha=1.1, gamma=0.6),
        graph("ThresholdedRelu", x, alpha=0.3),
        graph("HardSigmoid", x, alpha=0.4, beta=0.1),
        graph("Swish", x, alpha=1.3),
        graph("Shrink", x, lambd=1.5, bias=0.2),
        graph("PRelu", x, slope),
    ]
    check(tools, graph, *outputs, rtol=max(FLOATS[dtype], 1e-5) * (3 if dtype == np.float16 else 1), runtime=False)


@pytest.mark.parametrize("dtype", FLOATS)
def test_leaky_relu(tools, dtype):
    graph = Graph(3, opset=18)
    special = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1, -1], dtype)
    x = graph.input(values=np.concatenate([special, graph.random(29).astype(dtype)]))
    outputs = [graph("LeakyRelu", x, alpha=alpha) for alpha in [0.01, 1.0, 1.75, -0.5]]
    check(tools, graph, *outputs, rtol=max(FLOATS[dtype], 1e-6), runtime=False)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu(tools, dtype, approximate):
    """Near -x the two terms cancel, which ONNX's evaluator rounds in between."""
    graph = Graph(5, opset=20)
    x = graph.input(values=graph.random(3, 5, 7, scale=2).astype(dtype))
    check(
        tools,
        graph,
        graph("Gelu", x, approximate=approximate),
        rtol=max(FLOATS[dtype], 1e-5),
        atol=1e-3 if dtype == np.float16 else 1e-6,
        runtime=False,
    )


def test_softplus_of_large_values_is_finite(tools):
    graph = Graph(opset=18)
    values = np.float32([-2000, -100, 100, 2000])
    x = graph.input(values=values)
    got = check(tools, graph, graph("Softplus", x), graph("Mish", x))
    np.testing.assert_allclose(got["softplus0"], [0, 0, 100, 2000], atol=1e-30)


def test_swiglu(tools):
    graph = Graph(opset=28)
    check(tools, graph, graph("SwiGLU", graph.input(3, 7), graph.input(3, 7), alpha=1.5), runtime=False)


@pytest.mark.parametrize("opset", [6, 7, 16])
def test_one_slope_a_channel(tools, opset):
    graph = Graph(opset=opset)
    slope = np.float32([0.5, -1, 2]).reshape((3,) if opset < 7 else (3, 1, 1))
    x = graph.input(2, 3, 4, 5)
    y = graph("PRelu", x, graph.weight(values=slope))
    got = tools.execute(tools.compile(graph.model(y), target="ideal"), graph.feeds, "--ideal")[y]
    values = graph.feeds[x]
    np.testing.assert_allclose(got, np.where(values < 0, slope.reshape(3, 1, 1) * values, values), rtol=1e-6)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(tools, dtype):
    graph = Graph(3, opset=28)
    info = np.iinfo(dtype)
    draw = graph.rng.integers(info.min, info.max, (5, 7), dtype, endpoint=True)
    other = graph.rng.integers(info.min, info.max, (7,), dtype, endpoint=True)
    other[other == 0] = 3
    a, b = graph.input(values=draw), graph.input(values=other)
    amounts = graph.input(values=np.array([0, 1, 3, info.bits - 1, info.bits, 100, 5], dtype))
    outputs = [
        graph(kind, a, b) for kind in ["Add", "Sub", "Mul", "Max", "Min", "BitwiseAnd", "BitwiseOr", "BitwiseXor"]
    ]
    outputs += [graph(kind, a, b) for kind in ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"]]
    outputs += [graph("BitwiseNot", a), graph("Sign", a), graph("Abs", a), graph("Mod", a, b)]
    outputs += [graph("Mod", a, b, fmod=1), graph("BitShift", a, amounts, direction="RIGHT")]
    outputs += [graph("BitShift", a, amounts, direction="LEFT"), graph("Clip", a, graph.weight(values=dtype(5)))]
    check(tools, graph, *outputs, runtime=False)


@pytest.mark.parametrize("dtype", FLOATS)
def test_remainders_of_floats(tools, dtype):
    graph = Graph(opset=28)
    a = np.array([5.5, -5.5, 5.5, -5.5, 6, -6, 0, 1, -1, np.inf, np.nan, 3], dtype)
    b = np.array([2, 2, -2, -2, 3, 3, -2, np.inf, np.inf, 2, 2, 0], dtype)
    a, b = graph.input(values=a), graph.input(values=b)
    check(tools, graph, graph("Mod", a, b), graph("Mod", a, b, fmod=1), runtime=False)


@pytest.mark.parametrize("dtype", [np.int32, np.float64, np.float16])
def test_several_inputs(tools, dtype):
    graph = Graph(4, opset=13)
    shapes = [(3, 4, 5), (4, 1), (1,), (3, 1, 5)]
    xs = [graph.input(values=(graph.random(*shape) * 9).astype(dtype)) for shape in shapes]
    kinds = ["Max", "Min"] + ([] if dtype == np.int32 else ["Sum", "Mean"])
    outputs = [graph(kind, *xs) for kind in kinds] + [graph(kind, xs[0]) for kind in kinds]
    check(tools, graph, *outputs, rtol=2e-3 if dtype == np.float16 else 1e-6, atol=1e-2, runtime=False)


@pytest.mark.parametrize(
    "base, exponent",
    [("float32", "int64"), ("int32", "float32"), ("int64", "float64"), ("float64", "float32"), ("int32", "int64")],
)
def test_powers_of_mixed_types(tools, base, exponent):
    graph = Graph(opset=15)
    a = graph.input(values=np.array([1, 2, 3, 5, 7]).astype(base))
    b = graph.input(values=np.array([3, 2, 1, 0, 2]).astype(exponent))
    check(tools, graph, graph("Pow", a, b), rtol=1e-6)


@pytest.mark.parametrize("kind", ["And", "Or", "Xor"])
def test_logic(tools, kind):
    graph = Graph(opset=7)
    a, b = (graph.input(values=graph.rng.random(shape) < 0.5) for shape in [(3, 1, 4), (5, 1)])
    check(tools, graph, graph(kind, a, b))


@pytest.mark.parametrize("kind", ["Add", "Mul", "Less", "And", "Pow"])
def test_broadcasting_at_an_axis_before_opset_7(tools, kind):
    graph = Graph(opset=6)
    if kind == "And":
        a, b = (graph.input(values=graph.rng.random(shape) < 0.5) for shape in [(2, 3, 4), (3,)])
    else:
        a, b = (graph.input(values=np.abs(graph.random(*shape)) + 1) for shape in [(2, 3, 4), (3,)])
    y = graph(kind, a, b, broadcast=1, axis=1)
    got = tools.execute(tools.compile(graph.model(y, check=False), target="ideal"), graph.feeds, "--ideal")[y]
    function = {"Add": np.add, "Mul": np.multiply, "Less": np.less, "And": np.logical_and, "Pow": np.power}[kind]
    wanted = function(graph.feeds[a], graph.feeds[b][:, None])
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_a_chain_is_one_kernel(tools):
    """Formulas of many steps fuse: nothing between them reaches memory."""
    graph = Graph(opset=24)
    x = graph("Mish", graph("Gelu", graph("Softplus", graph("Elu", graph.input(3, 50)))))
    onnx.save(graph.model(x), tools.folder / "m.onnx")
    text = tools.succeed("mhoc", "m.onnx", "--target=ideal", "--compile-to=tile", "-o", "-").out
    assert text.count("tile.kernel") == 1
