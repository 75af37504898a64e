"""Graphs that no exporter writes: attributes that contradict each other, tensors of too few axes, and
functions that call each other twice. They once wrote beyond arrays, crashed, or never ended."""

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from graphs import Graph


def refusal(tools, model):
    save(model, tools.folder / "m.onnx")
    ran = tools.run("mhoc", tools.folder / "m.onnx", "-o", tools.folder / "m.mho", "--target=ideal", timeout=100)
    assert ran.code == 1, f"exited {ran.code}: {ran.err[-500:]}"
    return ran.err


# --- machine learning ------------------------------------------------------------------


def learned(kind, graph, *inputs, **attributes):
    return graph(kind, *inputs, domain="ai.onnx.ml", **attributes)


def support_vectors(graph, **attributes):
    given = {"classlabels_ints": [0, 1], "coefficients": [1.0], "rho": [0.0], "support_vectors": [1.0, 2.0]}
    return learned("SVMClassifier", graph, graph.input(1, 2), **(given | attributes))


TREE = {
    "tree_roots": [0],
    "nodes_featureids": [0],
    "nodes_splits": helper.make_tensor("splits", TensorProto.FLOAT, [1], [0.5]),
    "nodes_modes": helper.make_tensor("modes", TensorProto.UINT8, [1], [0]),
    "nodes_truenodeids": [0],
    "nodes_trueleafs": [1],
    "nodes_falsenodeids": [1],
    "nodes_falseleafs": [1],
    "leaf_targetids": [0, 0],
    "leaf_weights": helper.make_tensor("weights", TensorProto.FLOAT, [2], [1.0, 2.0]),
    "n_targets": 1,
}


def tree(graph, **attributes):
    return learned("TreeEnsemble", graph, graph.input(1, 2), **(TREE | attributes))


def grams(graph, **attributes):
    given = {
        "mode": "TF",
        "min_gram_length": 1,
        "max_gram_length": 2,
        "max_skip_count": 0,
        "ngram_counts": [0, 1],
        "ngram_indexes": [0, 1],
        "pool_int64s": [2, 3, 4],
    }
    return graph("TfIdfVectorizer", graph.input(values=np.ones((1, 6), np.int64)), **(given | attributes))


LEARNED = {
    "class without vectors": lambda g: support_vectors(g, vectors_per_class=[-1, 1]),
    "no vectors": lambda g: learned("SVMRegressor", g, g.input(1, 0), n_supports=-5, rho=[0.0]),
    "vectors": lambda g: learned("SVMRegressor", g, g.input(1, 4), n_supports=1 << 62, rho=[0.0]),
    "targets": lambda g: learned("LinearRegressor", g, g.input(1, 4), targets=1 << 62),
    "negative targets": lambda g: learned("LinearRegressor", g, g.input(1, 0), targets=-1),
    "votes": lambda g: tree(g, n_targets=1 << 60),
    "mode": lambda g: tree(g, nodes_modes=helper.make_tensor("modes", TensorProto.FLOAT, [1], [np.nan])),
    "feature": lambda g: tree(g, nodes_featureids=[1 << 32]),
    "column": lambda g: grams(g, ngram_indexes=[0, (1 << 62)]),
    "features of a scalar": lambda g: learned(
        "Imputer", g, g.input(values=np.int64(1)), imputed_value_int64s=[1, 2], replaced_value_int64=0
    ),
}


@pytest.mark.parametrize("kind", LEARNED)
def test_attributes_of_learned_models(tools, kind):
    graph = Graph()
    model = graph.model(LEARNED[kind](graph), check=False)
    for one in model.opset_import:
        if one.domain == "ai.onnx.ml":
            one.version = 5 if model.graph.node[0].op_type == "TreeEnsemble" else 3
    refusal(tools, model)


def test_skips_end_with_the_input(tools):
    """It counted to 2^62, one skip after the other."""
    graph = Graph()
    y = grams(graph, max_skip_count=1 << 62)
    got = tools.execute(tools.compile(graph.model(y), target="ideal"), graph.feeds, "--ideal")
    assert got[y].shape == (1, 2)


# --- tensors with fewer axes than an operator reads --------------------------------------


def microsoft(kind, graph, *inputs, **attributes):
    return graph(kind, *inputs, domain="com.microsoft", **attributes)


def missing_axes_of_a_past(graph):
    x = graph.input(1, 4, 8)
    past = graph.input(2)
    return microsoft("MultiHeadAttention", graph, x, x, x, "", "", "", past, past, num_heads=2)


def flat_positions(graph):
    cache = graph.weight(8, 4)
    positions = graph.input(values=np.zeros(3, np.int64))
    return microsoft("RotaryEmbedding", graph, graph.input(1, 2, 3, 8), positions, cache, cache)


FLAT = {
    "past": missing_axes_of_a_past,
    "positions": flat_positions,
    "bias": lambda g: microsoft(
        "MultiHeadAttention", g, g.input(1, 4, 8), g.input(1, 4, 8), g.input(1, 4, 8), g.input(2), num_heads=2
    ),
    "rotation": lambda g: g("RotaryEmbedding", g.input(2, 4, 3, 8), g.input(3), g.input(3)),
    "loss": lambda g: g("SoftmaxCrossEntropyLoss", g.input(3), g.input(values=np.zeros(3, np.int64))),
    "ellipsis": lambda g: g("Einsum", g.input(2, 3), equation="......->..."),
}


@pytest.mark.parametrize("kind", FLAT)
def test_too_few_axes(tools, kind):
    graph = Graph(opset=23 if kind == "rotation" else 18)
    refusal(tools, graph.model(FLAT[kind](graph), check=False))


# --- control flow ------------------------------------------------------------------------


def branch(name):
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])
    node = helper.make_node("Constant", [], [name], value=value)
    return helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])])


def test_a_sequence_as_condition(tools):
    graph = Graph()
    sequence = graph("SequenceConstruct", graph.input(1))
    y = graph("If", sequence, then_branch=branch("a"), else_branch=branch("b"))
    assert "one bool" in refusal(tools, graph.model(y, check=False))


def test_a_sequence_as_trip_count(tools):
    graph = Graph()
    sequence = graph("SequenceConstruct", graph.input(values=np.zeros(1, np.int64)))
    inputs = [
        helper.make_tensor_value_info("i", TensorProto.INT64, []),
        helper.make_tensor_value_info("c", TensorProto.BOOL, []),
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [2]),
    ]
    nodes = [helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Relu", ["x"], ["y"])]
    outputs = [
        helper.make_tensor_value_info("d", TensorProto.BOOL, []),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [2]),
    ]
    body = helper.make_graph(nodes, "body", inputs, outputs)
    y = graph("Loop", sequence, "", graph.input(2), body=body)
    assert "one int64" in refusal(tools, graph.model(y, check=False))


def function(name, nodes, inputs=("x",), outputs=("y",)):
    return helper.make_function("own", name, inputs, outputs, nodes, [helper.make_opsetid("", 18), OWN])


OWN = helper.make_opsetid("own", 1)


def test_functions_that_double(tools):
    """Forty functions, each of which calls the next one twice, are 2^40 nodes."""
    functions = [function("f0", [helper.make_node("Relu", ["x"], ["y"])])]
    for i in range(1, 40):
        calls = [helper.make_node(f"f{i - 1}", [a], [b], domain="own") for a, b in (("x", "z"), ("z", "y"))]
        functions.append(function(f"f{i}", calls))
    graph = Graph()
    model = graph.model(graph("f39", graph.input(2), domain="own"), check=False)
    model.functions.extend(functions)
    assert "nodes" in refusal(tools, model)


def test_an_omitted_input_as_a_functions_result(tools):
    graph = Graph()
    graph.input(2)
    model = graph.model(graph("same", "", domain="own"), check=False)
    model.functions.append(function("same", [], outputs=("x",)))
    refusal(tools, model)


# --- elements of constants that are written once --------------------------------------------


@pytest.mark.parametrize("kind", ["ReduceSum", "ArgMax", "NonZero", "Unique"])
def test_a_constant_of_2_to_the_37(tools, kind):
    """One element stands for all of them, which were read one by one."""
    graph = Graph()
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])
    x = graph("ConstantOfShape", graph.int64(1 << 37), value=value)
    save(graph.model(graph(kind, x), check=False), tools.folder / "m.onnx")
    options = ("--target=ideal", "--compile-to=graph", "-o", tools.folder / "m.mlir")
    assert tools.run("mhoc", tools.folder / "m.onnx", *options, timeout=60).code in (0, 1)


def test_the_largest_integer_as_a_number_of_boxes(tools):
    """No double holds it: it became the least one, and no box was kept."""
    graph = Graph()
    boxes = graph.weight(values=np.float32([[[0, 0, 1, 1], [0, 2, 1, 3], [0, 0, 1, 1.1]]]))
    scores = graph.weight(values=np.float32([[[0.9, 0.8, 0.7]]]))
    limits = [graph.int64((1 << 63) - 1), graph.weight(values=np.float32([0.5])), graph.weight(values=np.float32([0]))]
    y = graph("NonMaxSuppression", boxes, scores, *limits)
    y = graph("Add", y, graph.input(values=np.zeros((2, 3), np.int64)))
    got = tools.execute(tools.compile(graph.model(y), target="ideal"), graph.feeds, "--ideal")
    np.testing.assert_array_equal(got[y], [[0, 0, 0], [0, 0, 1]])
