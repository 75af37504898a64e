"""If, Loop and Scan, nested and with run-time conditions, compiled and run
without noise against ONNX Runtime, on one unit and on many."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness import reference, relative_error

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, kind=FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def node(kind, inputs, *outputs, **attributes):
    return helper.make_node(kind, inputs, outputs, name=f"{kind}_{outputs[0]}", **attributes)


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, kind), name)


def model(nodes, inputs, outputs, weights=()):
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(weights))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made


def compare(tools, made, feeds, target, tolerance=2e-5):
    wanted = reference(made, feeds)
    got = tools.execute(tools.compile(made, target=target), feeds, "--ideal")
    assert set(got) == set(wanted)
    for name, array in wanted.items():
        assert got[name].dtype == array.dtype
        assert relative_error(got[name], array) <= tolerance, name


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def branches(then, otherwise):
    """If on input c; both sides give y of x."""
    sides = {
        "then_branch": helper.make_graph(then, "then", [], [value("y", shape=[3, 5])]),
        "else_branch": helper.make_graph(otherwise, "else", [], [value("y", shape=[3, 5])]),
    }
    return node("If", ["c"], "z", **sides)


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("taken", [True, False])
def test_if_with_weights_on_arrays(tools, taken, target):
    """A product in each branch, of its own and of shared weights."""
    choice = branches(
        [node("MatMul", ["x", "w"], "p"), node("Relu", ["p"], "y")],
        [node("MatMul", ["x", "w"], "q"), node("MatMul", ["q", "v"], "r"), node("Tanh", ["r"], "y")],
    )
    made = model(
        [choice, node("Neg", ["z"], "out")],
        [value("x", shape=[3, 5]), value("c", BOOL, [])],
        [value("out", shape=[3, 5])],
        [constant("w", random(5, 5, seed=1)), constant("v", random(5, 5, seed=2))],
    )
    compare(tools, made, {"x": random(3, 5), "c": np.array(taken)}, target)


@pytest.mark.parametrize("taken", [True, False])
def test_if_that_hands_through(tools, taken):
    """One branch gives what it finds outside, which is also used behind."""
    choice = branches([node("Identity", ["x"], "y")], [node("Exp", ["x"], "y")])
    made = model(
        [choice, node("Add", ["z", "x"], "out")],
        [value("x", shape=[3, 5]), value("c", BOOL, [])],
        [value("out", shape=[3, 5])],
    )
    compare(tools, made, {"x": random(3, 5), "c": np.array(taken)}, "ideal")


def test_if_of_computed_condition(tools):
    choice = branches([node("Neg", ["x"], "y")], [node("Exp", ["x"], "y")])
    made = model(
        [
            node("ReduceSum", ["x"], "s", keepdims=0),
            node("Greater", ["s", "zero"], "c"),
            choice,
        ],
        [value("x", shape=[3, 5])],
        [value("z", shape=[3, 5])],
        [constant("zero", 0.0)],
    )
    for sign in (1, -1):
        compare(tools, made, {"x": np.abs(random(3, 5)) * sign}, "hermes")


def loop(body, carried, scanned=(), trips="m", condition=""):
    """Loop whose body's values end in `_in` and `_out`."""
    inputs = [value("i", INT64, []), value("go", BOOL, []), *[value(f"{n}_in", shape=s) for n, s in carried]]
    outputs = [value("on", BOOL, []), *[value(f"{n}_out", shape=s) for n, s in carried]]
    outputs += [value(n, shape=s) for n, s in scanned]
    graph = helper.make_graph(body, "body", inputs, outputs)
    names = [n for n, _ in carried]
    results = [f"{n}_last" for n in names] + [f"{n}_all" for n, _ in scanned]
    return helper.make_node("Loop", [trips, condition, *names], results, name="loop", body=graph)


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_loop_with_a_recurrent_product(tools, target):
    """A state goes through an array in every step; steps are joined."""
    body = [
        node("Identity", ["go"], "on"),
        node("Gather", ["x", "i"], "xi", axis=0),
        node("MatMul", ["h_in", "w"], "p"),
        node("Add", ["p", "xi"], "s"),
        node("Tanh", ["s"], "h_out"),
        node("Mul", ["h_out", "h_in"], "y"),
    ]
    made = model(
        [loop(body, [("h", [2, 6])], [("y", [2, 6])])],
        [value("x", shape=[7, 2, 6]), value("h", shape=[2, 6])],
        [value("h_last", shape=[2, 6]), value("y_all", shape=[7, 2, 6])],
        [constant("m", 7, np.int64), constant("w", random(6, 6, seed=3))],
    )
    compare(tools, made, {"x": random(7, 2, 6), "h": random(2, 6, seed=4)}, target)


@pytest.mark.parametrize("limit", [0.5, 30.0, 1e9])
@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_loop_until_a_condition(tools, limit, target):
    """Ends when the state is large, at the latest after 20 steps; none at all
    where the first condition is false."""
    body = [
        node("MatMul", ["h_in", "w"], "h_out"),
        node("ReduceMax", ["h_out"], "top", keepdims=0),
        node("Less", ["top", "limit"], "on"),
    ]
    made = model(
        [
            node("ReduceMax", ["h"], "top0", keepdims=0),
            node("Less", ["top0", "limit"], "c"),
            loop(body, [("h", [1, 4])], condition="c"),
        ],
        [value("h", shape=[1, 4]), value("limit", shape=[])],
        [value("h_last", shape=[1, 4])],
        [constant("m", 20, np.int64), constant("w", np.eye(4) * 1.7)],
    )
    feeds = {"h": np.float32([[0.3, 0.9, 0.1, 0.2]]), "limit": np.array(limit, np.float32)}
    compare(tools, made, feeds, target)


def test_loop_of_swapped_states(tools):
    """Two states change places in every step."""
    body = [node("Identity", ["go"], "on"), node("Neg", ["a_in"], "b_out"), node("Identity", ["b_in"], "a_out")]
    made = model(
        [loop(body, [("a", [3]), ("b", [3])])],
        [value("a", shape=[3]), value("b", shape=[3])],
        [value("a_last", shape=[3]), value("b_last", shape=[3])],
        [constant("m", 5, np.int64)],
    )
    compare(tools, made, {"a": random(3), "b": random(3, seed=1)}, "ideal")


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_branch_in_a_loop(tools, target):
    """Each step decides by its own input which product it takes."""
    sides = {
        "then_branch": helper.make_graph([node("MatMul", ["h_in", "w"], "t")], "then", [], [value("t", shape=[1, 4])]),
        "else_branch": helper.make_graph([node("Sub", ["h_in", "xi"], "e")], "else", [], [value("e", shape=[1, 4])]),
    }
    body = [
        node("Identity", ["go"], "on"),
        node("Gather", ["x", "i"], "xi", axis=0),
        node("ReduceSum", ["xi"], "s", keepdims=0),
        node("Greater", ["s", "zero"], "c"),
        node("If", ["c"], "h_out", **sides),
    ]
    made = model(
        [loop(body, [("h", [1, 4])])],
        [value("x", shape=[9, 1, 4]), value("h", shape=[1, 4])],
        [value("h_last", shape=[1, 4])],
        [constant("m", 9, np.int64), constant("zero", 0.0), constant("w", random(4, 4, seed=5))],
    )
    compare(tools, made, {"x": random(9, 1, 4), "h": random(1, 4, seed=6)}, target)


def test_loop_in_a_loop(tools):
    """Row by row, element by element."""
    inner_body = helper.make_graph(
        [
            node("Identity", ["inner_go"], "inner_on"),
            node("Gather", ["row", "k"], "element", axis=0),
            node("Mul", ["s_in", "decay"], "d"),
            node("Add", ["d", "element"], "s_out"),
        ],
        "inner",
        [value("k", INT64, []), value("inner_go", BOOL, []), value("s_in", shape=[])],
        [value("inner_on", BOOL, []), value("s_out", shape=[])],
    )
    inner = helper.make_node("Loop", ["five", "", "a_in"], ["a_out"], name="inner", body=inner_body)
    body = [node("Identity", ["go"], "on"), node("Gather", ["x", "i"], "row", axis=0), inner]
    made = model(
        [loop(body, [("a", [])])],
        [value("x", shape=[4, 5]), value("a", shape=[])],
        [value("a_last", shape=[])],
        [constant("m", 4, np.int64), constant("five", 5, np.int64), constant("decay", 0.9)],
    )
    compare(tools, made, {"x": random(4, 5), "a": np.array(0.5, np.float32)}, "ideal")


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_scan_both_ways(tools, target):
    """One input is read forwards, one backwards; a state and the steps."""
    body = helper.make_graph(
        [
            node("MatMul", ["s_in", "w"], "p"),
            node("Add", ["p", "a_in"], "q"),
            node("Mul", ["q", "b_in"], "r"),
            node("Tanh", ["r"], "s_out"),
            node("Neg", ["s_out"], "y"),
        ],
        "body",
        [value("s_in", shape=[2, 3]), value("a_in", shape=[2, 3]), value("b_in", shape=[2, 3])],
        [value("s_out", shape=[2, 3]), value("y", shape=[2, 3])],
    )
    scan = helper.make_node(
        "Scan", ["s", "a", "b"], ["last", "all"], "scan", body=body, num_scan_inputs=2, scan_input_directions=[0, 1]
    )
    made = model(
        [scan],
        [value("s", shape=[2, 3]), value("a", shape=[6, 2, 3]), value("b", shape=[6, 2, 3])],
        [value("last", shape=[2, 3]), value("all", shape=[6, 2, 3])],
        [constant("w", random(3, 3, seed=7))],
    )
    compare(tools, made, {"s": random(2, 3), "a": random(6, 2, 3, seed=1), "b": random(6, 2, 3, seed=2)}, target)


def test_samples_of_a_data_dependent_loop(tools):
    """Each sample takes as many steps as it needs, whatever the others do."""
    body = [
        node("Add", ["h_in", "h_in"], "h_out"),
        node("ReduceMax", ["h_out"], "top", keepdims=0),
        node("Less", ["top", "limit"], "on"),
    ]
    made = model(
        [loop(body, [("h", [1, 4])])],
        [value("h", shape=[1, 4])],
        [value("h_last", shape=[1, 4])],
        [constant("m", 50, np.int64), constant("limit", 40.0)],
    )
    samples = np.abs(random(6, 4)) * np.float32([[1], [0.01], [3], [0.1], [30], [1]])
    got = tools.execute(tools.compile(made, target="ideal"), {"h": samples}, "--ideal")["h_last"]
    wanted = np.concatenate([reference(made, {"h": samples[i : i + 1]})["h_last"] for i in range(6)])
    assert relative_error(got, wanted) <= 1e-6


def test_time_counts_the_trips_made(tools):
    """The report of a run tells the loop's node once per trip."""
    body = [
        node("MatMul", ["h_in", "w"], "h_out"),
        node("ReduceMax", ["h_out"], "top", keepdims=0),
        node("Less", ["top", "limit"], "on"),
    ]
    made = model(
        [loop(body, [("h", [1, 4])])],
        [value("h", shape=[1, 4]), value("limit", shape=[])],
        [value("h_last", shape=[1, 4])],
        [constant("m", 20, np.int64), constant("w", np.eye(4) * 2)],
    )
    program = tools.compile(made, target="hermes")
    start = np.float32([[0.5, 0.25, 0.25, 0.25]])
    for limit, trips in ((0.75, 1), (7.0, 4), (1e30, 20)):
        tools.execute(program, {"h": start, "limit": np.array(limit, np.float32)}, "--ideal", "--report=r.json")
        report = json.loads((tools.folder / "r.json").read_text())
        layer = next(layer for layer in report["layers"] if layer["op"] == "MatMul")
        assert layer["vectors"] == trips
