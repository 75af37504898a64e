"""Sequences and optionals through the tools, against ONNX's reference."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from graphs import Graph


def run(tools, model, inputs, *options):
    return tools.execute(tools.compile(model, *options, target="ideal"), inputs, "--ideal")


@pytest.mark.parametrize("split", [None, 2, [1, 3, 1]])
@pytest.mark.parametrize("axis", [0, -1])
def test_split_and_join(tools, split, axis):
    graph = Graph()
    x = graph.input(5, 3, 5)
    sizes = [] if split is None else [graph.weight(values=np.array(split, np.int64))]
    parts = graph("SplitToSequence", x, *sizes, axis=axis)
    ends = [graph("SequenceAt", parts, graph.weight(values=np.array(at, np.int64))) for at in (0, -1)]
    joined = graph("ConcatFromSequence", graph("SequenceErase", parts), axis=axis)
    model = graph.model(joined, *ends, check=False)
    wanted = ReferenceEvaluator(model).run(None, graph.feeds)
    for got, want in zip(run(tools, model, graph.feeds).values(), wanted, strict=True):
        assert np.array_equal(got, want)


def test_loop_that_collects(tools):
    """A loop with a sequence among its carried values is unrolled; scan outputs are stacked."""
    element = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    body = helper.make_graph(
        [
            helper.make_node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["x", "f"], ["scaled"]),
            helper.make_node("SequenceInsert", ["in", "scaled"], ["out"]),
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Identity", ["f"], ["scan"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_value_info("in", helper.make_sequence_type_proto(element)),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_value_info("out", helper.make_sequence_type_proto(element)),
            helper.make_tensor_value_info("scan", TensorProto.FLOAT, None),
        ],
    )
    graph = Graph()
    graph.input(2, 3)
    graph.nodes.append(helper.make_node("Identity", ["x0"], ["x"]))
    start = graph("SequenceConstruct", "x")
    trips = graph.weight(values=np.array(4, np.int64))
    last, scanned = graph("Loop", trips, "", start, outputs=2, body=body)
    joined = graph("ConcatFromSequence", last, axis=0, new_axis=1)
    model = graph.model(joined, scanned, check=False)
    got = list(run(tools, model, graph.feeds).values())
    x = graph.feeds["x0"]
    assert np.array_equal(got[0], np.stack([x, *(x * np.float32(i) for i in range(4))]))
    assert np.array_equal(got[1], np.arange(4, dtype=np.float32))


def test_position_outside_the_sequence_is_an_error(tools):
    graph = Graph()
    parts = graph("SplitToSequence", graph.input(2, 3))
    at = graph("SequenceAt", parts, graph.weight(values=np.array(2, np.int64)), name="pick")
    (tools.folder / "m.onnx").write_bytes(graph.model(at, check=False).SerializeToString())
    message = tools.refuse("mhoc", tools.folder / "m.onnx", "-o", "m.mho")
    assert "node 'pick': position 2 is outside a sequence of 2 elements" in message
