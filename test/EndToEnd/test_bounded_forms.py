"""Bounded extents through branches, loops, ranges and the program's border."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from graphs import Bounded
from harness import reference, relative_error


def run(tools, model, feeds, *options, target="ideal"):
    """Compiles once and compares every set of inputs with ONNX Runtime."""
    program = tools.compile(model, *options, target=target)
    for each in feeds:
        wanted = reference(model, each)
        got = tools.execute(program, each, "--ideal")
        for name, value in wanted.items():
            assert got[name].dtype == value.dtype
            assert relative_error(got[name], value) <= 2e-5, name
    return program


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, "test", inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def numbers(name, *values, kind=np.int64):
    return onnx.numpy_helper.from_array(np.array(values[0] if len(values) == 1 else values, kind), name)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# --- the program's border ---------------------------------------------------


def shared(tools):
    graph = Bounded()
    x, y = graph.open(2, "n"), graph.open("n", 3)
    return tools.compile(graph.model(graph("MatMul", x, y)), "--shape=n=2..9", target="ideal"), graph


def test_inputs_that_share_a_symbol_agree(tools):
    program, graph = shared(tools)
    feeds = graph.feed(n=4)
    np.savez(tools.folder / "in.npz", x0=feeds["x0"], x1=feeds["x1"][:3])
    message = tools.refuse("mho-run", program, "--input", tools.folder / "in.npz", "--output", "o.npz")
    assert "array 'x0' has 4 in dimension 1, array 'x1' has 3 in dimension 0" in message
    assert "both are the extent 'n'" in message


@pytest.mark.parametrize("extent", [1, 10])
def test_an_extent_outside_of_its_limits_is_refused(tools, extent):
    program, graph = shared(tools)
    np.savez(tools.folder / "in.npz", **graph.feed(n=extent))
    message = tools.refuse("mho-run", program, "--input", tools.folder / "in.npz", "--output", "o.npz")
    assert f"array 'x0' is f32 2x{extent}" in message and "'x0' f32 [2,2..9]" in message


def test_an_input_that_only_shares_its_extent(tools):
    """What nothing reads is held against the others, too."""
    graph = Bounded()
    x, y = graph.open("n", 2), graph.open("n")
    ones = graph("Expand", graph.weight(values=np.float32(1)), graph("Shape", y))
    model = graph.model(graph("Relu", x), ones)
    program = tools.compile(model, "--shape=n=1..9", target="ideal")
    got = tools.execute(program, graph.feed(n=5), "--ideal")
    assert [a.shape for a in got.values()] == [(5, 2), (5,)]
    feeds = graph.feed(n=5)
    np.savez(tools.folder / "in.npz", x0=feeds["x0"], x1=feeds["x1"][:2])
    assert "extent 'n'" in tools.refuse("mho-run", program, "--input", tools.folder / "in.npz", "--output", "o.npz")


# --- branches ----------------------------------------------------------------


def branches(then_nodes, else_nodes, inputs, shape):
    def graph(name, nodes):
        return helper.make_graph(nodes, name, [], [value(nodes[-1].output[0], None)])

    choice = helper.make_node(
        "If", ["c"], ["y"], "if", then_branch=graph("then", then_nodes), else_branch=graph("else", else_nodes)
    )
    return model_of([choice], [value("c", [], TensorProto.BOOL), *inputs], [value("y", shape)])


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_a_bounded_value_leaves_a_branch(tools, target):
    model = branches(
        [helper.make_node("Neg", ["x"], ["a"]), helper.make_node("Softmax", ["a"], ["b"], axis=0)],
        [helper.make_node("Exp", ["x"], ["d"])],
        [value("x", ["n", 3])],
        ["n", 3],
    )
    feeds = [{"c": np.array(c), "x": normal(n, 3)} for c in (True, False) for n in (1, 4, 9)]
    run(tools, model, feeds, "--shape=n=1..9", target=target)


def test_branches_of_different_extents(tools):
    model = branches(
        [helper.make_node("Concat", ["x", "x"], ["a"], axis=0)],
        [helper.make_node("Exp", ["z"], ["d"])],
        [value("x", ["n", 3]), value("z", [4, 3])],
        ["k", 3],
    )
    feeds = [{"c": np.array(c), "x": normal(n, 3), "z": normal(4, 3)} for c in (True, False) for n in (1, 5, 9)]
    run(tools, model, feeds, "--shape=n=1..9")


def test_a_condition_on_extents_is_known(tools):
    """n = 1..9 is never 12: only the other branch is there."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"], end=1),
        helper.make_node("Equal", ["s", "twelve"], ["c"]),
        helper.make_node(
            "If",
            ["c"],
            ["y"],
            then_branch=helper.make_graph([helper.make_node("Unknown", ["x"], ["a"])], "then", [], [value("a", None)]),
            else_branch=helper.make_graph([helper.make_node("Relu", ["x"], ["d"])], "else", [], [value("d", None)]),
        ),
    ]
    model = model_of(nodes, [value("x", ["n", 3])], [value("y", ["n", 3])], [numbers("twelve", [12])])
    program = tools.compile(model, "--shape=n=1..9", target="ideal")
    x = normal(5, 3)
    np.testing.assert_array_equal(tools.execute(program, {"x": x}, "--ideal")["y"], np.maximum(x, 0))


# --- loops ---------------------------------------------------------------------


def loop(body_nodes, trips, state, scanned=(), initializers=(), extra=(), shape=("n", 3), scan_shape=None):
    body = helper.make_graph(
        body_nodes,
        "body",
        [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("h", list(shape))],
        [value("go_on", [], TensorProto.BOOL), value("h1", list(shape)), *(value(name, None) for name in scanned)],
    )
    node = helper.make_node("Loop", [trips, "", state], ["y", *(f"all_{name}" for name in scanned)], "loop", body=body)
    return [node], [value("y", list(shape)), *(value(f"all_{name}", scan_shape) for name in scanned)]


STEP = [
    helper.make_node("Identity", ["go"], ["go_on"]),
    helper.make_node("Tanh", ["h"], ["t"]),
    helper.make_node("Add", ["t", "x"], ["h1"]),
]


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_a_loop_carries_a_bounded_value(tools, target):
    nodes, outputs = loop(STEP, "five", "x")
    model = model_of(nodes, [value("x", ["n", 3])], outputs, [numbers("five", 5)])
    run(tools, model, [{"x": normal(n, 3)} for n in (1, 4, 9)], "--shape=n=1..9", target=target)


def test_a_loop_to_an_extent_collects_its_steps(tools):
    """As many steps as there are rows; each leaves a slice of another bounded extent."""
    step = [*STEP, helper.make_node("Gather", ["x", "i"], ["row"], axis=0)]
    nodes, outputs = loop(step, "n", "x", scanned=["row", "h1"][:1], scan_shape=["n", "m"], shape=("n", "m"))
    count = [helper.make_node("Shape", ["x"], ["s"], end=1), helper.make_node("Squeeze", ["s"], ["n"])]
    model = model_of([*count, *nodes], [value("x", ["n", "m"])], outputs)
    run(tools, model, [{"x": normal(n, m)} for n, m in ((1, 1), (4, 3), (6, 5))], "--shape=n=1..6", "--shape=m=1..5")


def test_a_trip_count_that_only_the_run_knows(tools):
    nodes, outputs = loop(STEP, "trips", "x")
    model = model_of(nodes, [value("x", ["n", 3]), value("trips", [], TensorProto.INT64)], outputs)
    feeds = [{"x": normal(n, 3), "trips": np.array(t)} for n, t in ((1, 0), (4, 3), (9, 7))]
    run(tools, model, feeds, "--shape=n=1..9", "--loop-bound=loop=7")


def test_a_loop_without_bound_says_how_to_give_one(tools):
    nodes, outputs = loop(STEP, "trips", "x")
    model = model_of(nodes, [value("x", ["n", 3]), value("trips", [], TensorProto.INT64)], outputs)
    onnx.save(model, tools.folder / "m.onnx")
    ran = tools.succeed("mhoc", tools.folder / "m.onnx", "-o", "m.mho", "--target=ideal", "--shape=n=1..9")
    assert "loop" in ran.err and "--loop-bound=loop=N" in ran.err


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_a_scan_over_a_bounded_axis(tools, target):
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["row", "w"], ["p"]),
            helper.make_node("Add", ["h", "p"], ["a"]),
            helper.make_node("Tanh", ["a"], ["h1"]),
            helper.make_node("Neg", ["h1"], ["out"]),
        ],
        "body",
        [value("h", [2, 4]), value("row", [2, 3])],
        [value("h1", [2, 4]), value("out", [2, 4])],
    )
    node = helper.make_node("Scan", ["h0", "x"], ["y", "all"], "scan", body=body, num_scan_inputs=1)
    weights = onnx.numpy_helper.from_array(normal(3, 4, seed=3), "w")
    model = model_of(
        [node],
        [value("h0", [2, 4]), value("x", ["n", 2, 3])],
        [value("y", [2, 4]), value("all", ["n", 2, 4])],
        [weights],
    )
    feeds = [{"h0": normal(2, 4, seed=1), "x": normal(n, 2, 3)} for n in (1, 3, 9)]
    run(tools, model, feeds, "--shape=n=1..9", target=target)


# --- ranges ----------------------------------------------------------------------


def ranges():
    nodes = [
        helper.make_node("Range", ["first", "end", "by"], ["r"], "count"),
        helper.make_node("Cast", ["r"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "half"], ["y"]),
    ]
    inputs = [value(name, [], TensorProto.INT64) for name in ("first", "end", "by")]
    return model_of(nodes, inputs, [value("y", ["n"])], [numbers("half", 0.5, kind=np.float32)])


def test_a_range_that_follows_from_data(tools):
    feeds = [
        {"first": np.array(a), "end": np.array(b), "by": np.array(c)}
        for a, b, c in ((0, 5, 1), (2, 12, 3), (7, -2, -2), (4, 4, 1), (5, 1, 1), (-3, 6, 1))
    ]
    run(tools, ranges(), feeds, "--loop-bound=count=9")


def test_a_range_beyond_what_was_said_ends_the_run(tools):
    program = tools.compile(ranges(), "--loop-bound=count=9", target="ideal")
    np.savez(tools.folder / "in.npz", first=np.array(0), end=np.array(10), by=np.array(1))
    message = tools.refuse("mho-run", program, "--input", tools.folder / "in.npz", "--output", "o.npz")
    assert "10" in message and "9" in message


def test_a_range_of_floats(tools):
    nodes = [helper.make_node("Range", ["first", "end", "by"], ["y"], "count")]
    model = model_of(nodes, [value(name, []) for name in ("first", "end", "by")], [value("y", ["n"])])
    f32 = np.float32
    feeds = [{"first": f32(a), "end": f32(b), "by": f32(c)} for a, b, c in ((0, 2, 0.5), (1, 0, -0.25), (0, 0, 1))]
    run(tools, model, [{k: np.array(v) for k, v in each.items()} for each in feeds], "--loop-bound=count=6")


# --- extents that begin at zero -----------------------------------------------------


def test_slices_and_sums_of_nothing(tools):
    """A cache that may be empty: joined, cut from the end, and averaged."""
    graph = Bounded()
    x, past = graph.open("n", 3), graph.open("p", 3)
    whole = graph("Concat", past, x, axis=0)
    newest = graph("Slice", whole, graph.int64(-4), graph.int64(2**62), graph.int64(0))
    rest = graph("Slice", past, graph.int64(1), graph.int64(-1), graph.int64(0))
    model = graph.model(whole, newest, rest, graph("ReduceSum", past, graph.int64(0)))
    feeds = [graph.feed(n=n, p=p) for n, p in ((1, 0), (2, 5), (3, 1), (1, 2))]
    run(tools, model, feeds, "--shape=n=1..3", "--shape=p=0..5")
