"""Graphs that are legal and odd, or wrong in ways a checker may miss."""

import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphs import Graph
from harness import reference, relative_error


def equal(tools, model, feeds, tolerance=1e-5, target="ideal"):
    expected = reference(model, feeds)
    got = tools.execute(tools.compile(model, target=target), feeds, "--ideal")
    assert set(got) == set(expected)
    for name, wanted in expected.items():
        assert got[name].dtype == wanted.dtype
        np.testing.assert_allclose(got[name], wanted, rtol=tolerance, atol=tolerance)


def refused(tools, model, *options):
    """The message; within seconds and a little memory."""
    (tools.folder / "bad.onnx").write_bytes(model.SerializeToString())
    ran = tools.run("mhoc", tools.folder / "bad.onnx", "-o", tools.folder / "bad.mho", *options, timeout=30)
    assert ran.code == 1, f"exited {ran.code}: {ran.err[-500:]}"
    assert ran.err.strip()
    assert ran.peak_mb < 400, "refused before anything is allocated"
    assert not (tools.folder / "bad.mho").exists()
    return ran.err


# --- wrong ----------------------------------------------------------------------


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def raw_model(nodes, inputs, outputs, weights=(), opset=18):
    graph = helper.make_graph(nodes, "test", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(kind, inputs, outputs, name="", **attributes):
    return helper.make_node(kind, inputs, outputs, name, **attributes)


def of(kind, shape):
    return numpy_helper.from_array(np.ones(shape, kind), "w")


X, Y = value("x", [2, 3]), value("y", None)

WRONG = {
    "self_cycle": (raw_model([node("Add", ["x", "y"], ["y"], "loops")], [X], [Y]), "loops"),
    "out_of_order": (
        raw_model([node("Relu", ["a"], ["y"], "early"), node("Neg", ["x"], ["a"], "late")], [X], [Y]),
        "early",
    ),
    "one_value_twice": (
        raw_model([node("Relu", ["x"], ["y"], "one"), node("Neg", ["x"], ["y"], "two")], [X], [Y]),
        "'y'",
    ),
    "input_computed": (raw_model([node("Relu", ["x"], ["x"], "one")], [X], [value("x", None)]), "'x'"),
    "initializer_twice": (
        raw_model([node("Add", ["x", "w"], ["y"])], [X], [Y], [of(np.float32, [3]), of(np.float32, [3])]),
        "w",
    ),
    "initializer_computed": (
        raw_model([node("Relu", ["x"], ["w"]), node("Relu", ["w"], ["y"])], [X], [Y], [of(np.float32, [2, 3])]),
        "'w'",
    ),
    "input_twice": (raw_model([node("Relu", ["x"], ["y"])], [X, X], [Y]), "x"),
    "mixed_elements": (raw_model([node("Add", ["x", "w"], ["y"], "mix")], [X], [Y], [of(np.int64, [3])]), "mix"),
    "weights_of_integers": (
        raw_model([node("MatMul", ["x", "w"], ["y"], "mix")], [X], [Y], [of(np.int32, [3, 4])]),
        "mix",
    ),
    "condition_of_floats": (
        raw_model([node("Where", ["x", "x", "x"], ["y"], "choice")], [X], [Y]),
        "choice",
    ),
    "missing_input": (raw_model([node("Add", ["x"], ["y"], "alone")], [X], [Y]), "alone"),
    "empty_input": (raw_model([node("Add", ["x", ""], ["y"], "alone")], [X], [Y]), "alone"),
    "output_of_nothing": (raw_model([node("Relu", ["x"], ["a"])], [X], [value("nowhere", None)]), "nowhere"),
    "no_output": (raw_model([node("Relu", ["x"], ["a"])], [X], []), "output"),
    "attribute_of_wrong_kind": (
        raw_model([node("Softmax", ["x"], ["y"], "soft", axis="last")], [X], [Y]),
        "soft",
    ),
    "axis_out_of_range": (raw_model([node("Softmax", ["x"], ["y"], "soft", axis=7)], [X], [Y]), "soft"),
    "negative_dimension": (
        raw_model([node("Relu", ["x"], ["y"])], [value("x", [2, -3])], [Y]),
        "x",
    ),
    "text": (
        raw_model([node("Identity", ["x"], ["y"])], [value("x", [2], TensorProto.STRING)], [Y]),
        "STRING",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_graph_is_refused_by_name(tools, name):
    model, word = WRONG[name]
    assert word in refused(tools, model)


def declared(dims, kind=TensorProto.FLOAT):
    return TensorProto(name="w", data_type=kind, dims=dims)


def shape_of(*extents):
    return numpy_helper.from_array(np.array(extents, np.int64), "w")


BIG = 1 << 20
HUGE = {
    "initializer": raw_model([node("MatMul", ["x", "w"], ["y"], "huge")], [X], [Y], [declared([3, 1 << 40])]),
    "product_of_extents": raw_model([node("MatMul", ["x", "w"], ["y"], "huge")], [X], [Y], [declared([1 << 31] * 3)]),
    "input": raw_model([node("Relu", ["x"], ["y"], "huge")], [value("x", [BIG, BIG])], [Y]),
    "constant_of_shape": raw_model([node("ConstantOfShape", ["w"], ["y"], "huge")], [X], [Y], [shape_of(BIG, BIG)]),
    "expand": raw_model([node("Expand", ["x", "w"], ["y"], "huge")], [X], [Y], [shape_of(BIG, BIG, 2, 3)]),
    "tile": raw_model([node("Tile", ["x", "w"], ["y"], "huge")], [X], [Y], [shape_of(BIG, BIG)]),
    "pad": raw_model([node("Pad", ["x", "w"], ["y"], "huge")], [X], [Y], [shape_of(BIG, BIG, 0, 0)]),
    "outer_product": raw_model(
        [node("Transpose", ["x"], ["t"]), node("MatMul", ["t", "x"], ["y"], "huge")],
        [value("x", [1, BIG])],
        [Y],
    ),
}


@pytest.mark.parametrize("name", HUGE)
def test_sizes_that_nobody_has(tools, name):
    refused(tools, HUGE[name], "--target=ideal")


# --- odd but legal --------------------------------------------------------------


def test_nothing_has_a_name(tools):
    graph = Graph()
    x = graph("Relu", graph("MatMul", graph.input(2, 5), graph.weight(5, 3)))
    model = graph.model(x)
    for one in model.graph.node:
        one.ClearField("name")
    model.graph.ClearField("name")
    equal(tools, model, graph.feeds)


def test_nodes_share_a_name(tools):
    graph = Graph()
    x = graph.input(2, 5)
    for _ in range(3):
        x = graph("MatMul", graph("Relu", x), graph.weight(5, 5))
    model = graph.model(x)
    (wanted,) = reference(model, graph.feeds).values()
    # ONNX Runtime refuses them under one name.
    for one in model.graph.node:
        one.name = "same"
    (got,) = tools.execute(tools.compile(model), graph.feeds, "--ideal").values()
    assert relative_error(got, wanted) <= 1e-5


def test_weights_that_say_that_they_are_here(tools):
    """Large ones, which stay in the file; quantizers write the location that is the default one."""
    graph = Graph()
    model = graph.model(graph("MatMul", graph.input(2, 40), graph.weight(40, 30)))
    model.graph.initializer[0].data_location = TensorProto.DEFAULT
    assert model.graph.initializer[0].HasField("data_location")
    equal(tools, model, graph.feeds)


def test_parts_that_nobody_uses(tools):
    graph = Graph()
    x = graph.input(2, 5)
    graph("Relu", graph("MatMul", x, graph.weight(5, 9)))
    graph.weight(7, 7)
    model = graph.model(graph("Neg", x))
    equal(tools, model, graph.feeds)


def test_input_that_nobody_uses(tools):
    graph = Graph()
    x = graph.input(2, 5)
    graph.input(3, 3)
    equal(tools, graph.model(graph("Neg", x)), graph.feeds)


def test_input_is_output(tools):
    graph = Graph()
    x = graph.input(2, 5)
    y = graph("Identity", x)
    z = graph("Identity", x)
    equal(tools, graph.model(y, z, graph("Relu", x)), graph.feeds)


def test_constant_is_output(tools):
    graph = Graph()
    x = graph.input(2, 5)
    y = graph("Add", graph.weight(3), graph.weight(3))
    equal(tools, graph.model(y, graph("Relu", x)), graph.feeds)


def test_one_weight_under_many_heads(tools):
    """Devices are programmed once, whatever comes behind each product."""
    graph = Graph()
    w = graph.weight(6, 6)
    x = graph("MatMul", graph.input(2, 6), w, name="plain")
    x = graph("Add", graph("MatMul", graph("Relu", x), w, name="biased"), graph.weight(6))
    x = graph("Mul", graph("MatMul", graph("Relu", x), w, name="scaled"), graph.weight(values=np.float32([0.3])))
    model = graph.model(x)
    equal(tools, model, graph.feeds)
    header = tools.succeed("mho-objdump", tools.folder / "model-ideal.mho", "--header").out
    assert "banks 1" in header, header


def test_scalars(tools):
    graph = Graph()
    x = graph("Mul", graph.input(), graph.weight(values=np.float32(3)))
    equal(tools, graph.model(graph("Add", x, graph("Exp", x))), graph.feeds)


EMPTY = {
    "elementwise": lambda g: g("Add", g.input(0, 3), g.weight(3)),
    "concat": lambda g: g("Concat", g.input(0, 3), g.input(2, 3), axis=0),
    "slice": lambda g: g("Slice", g.input(4, 3), g.int64(2), g.int64(2), g.int64(0)),
    "no_rows": lambda g: g("MatMul", g.input(0, 5), g.weight(5, 3)),
    "no_columns": lambda g: g("MatMul", g.input(2, 5), g.weight(values=np.zeros((5, 0), np.float32))),
    "nothing_to_sum": lambda g: g("MatMul", g.input(2, 0), g.weight(values=np.zeros((0, 3), np.float32))),
    "nothing_to_sum_of_two": lambda g: g("MatMul", g.input(2, 0), g.input(0, 3)),
    "gather_nothing": lambda g: g("Gather", g.input(4, 3), g.weight(values=np.zeros((0,), np.int64))),
    "transpose": lambda g: g("Transpose", g.input(2, 0, 3), perm=[2, 0, 1]),
    "softmax": lambda g: g("Softmax", g.input(2, 0)),
    "sum": lambda g: g("ReduceSum", g.input(2, 0, 3), g.int64(1), keepdims=0),
    "cast": lambda g: g("Cast", g.input(0, 4), to=TensorProto.INT64),
    "gemm_without_rows": lambda g: g("Gemm", g.input(0, 5), g.weight(5, 3), g.weight(3)),
    "reshape": lambda g: g("Reshape", g.input(0, 4), g.int64(2, 0), allowzero=1),
}


@pytest.mark.parametrize("name", EMPTY)
def test_empty_tensors(tools, name):
    graph = Graph()
    equal(tools, graph.model(EMPTY[name](graph)), graph.feeds)


def test_not_a_number_in_data(tools):
    graph = Graph()
    data = graph.random(3, 5)
    data[1, 2], data[0, 0], data[2, 1] = np.nan, np.inf, -np.inf
    x = graph.input(values=data)
    outputs = [graph("MatMul", x, graph.weight(5, 4)), graph("Relu", x), graph("Softmax", x), graph("ReduceSum", x)]
    model = graph.model(*outputs)
    expected = reference(model, graph.feeds)
    got = tools.execute(tools.compile(model, target="ideal"), graph.feeds, "--ideal")
    for name, wanted in expected.items():
        assert np.array_equal(np.isnan(got[name]), np.isnan(wanted)), name
        finite = np.isfinite(wanted)
        assert relative_error(got[name][finite], wanted[finite]) <= 1e-5


@pytest.mark.parametrize("kind", ["element-wise", "products"])
def test_twenty_thousand_nodes_in_a_row(tools, kind):
    """Neither the stack nor the time grows out of hand."""
    graph = Graph()
    x = graph.input(2, 3)
    weights = [graph.weight(values=np.float32(v)) for v in (0.999, 0.001)]
    square = graph.weight(values=np.eye(3, dtype=np.float32))
    for i in range(20_000 if kind == "element-wise" else 2_000):
        if kind == "products" and i % 2:
            x = graph("MatMul", x, square)
        else:
            x = graph(("Mul", "Add")[i % 2 if kind == "element-wise" else 0], x, weights[i % 2])
    model = graph.model(x, check=False)
    onnx.save(model, tools.folder / "long.onnx")
    start = time.perf_counter()
    tools.succeed("mhoc", tools.folder / "long.onnx", "-o", tools.folder / "long.mho", "--target=ideal", timeout=300)
    assert time.perf_counter() - start < 120
    got = tools.execute(tools.folder / "long.mho", graph.feeds, "--ideal")
    (wanted,) = reference(model, graph.feeds).values()
    np.testing.assert_allclose(next(iter(got.values())), wanted, rtol=1e-3, atol=1e-5)
