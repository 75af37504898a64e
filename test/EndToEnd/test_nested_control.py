"""Loops, scans and branches in each other, at random: states that are read
again, change places, are handed on as they were; products and recurrences
inside. Against ONNX Runtime, on both chips."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness import reference, relative_error

WIDTH = 5
ROW = [WIDTH]


class Body:
    """One graph under construction: rows of floats that its nodes may read."""

    def __init__(self, draw: np.random.Generator, rows, depth: int, names):
        self.draw, self.rows, self.depth, self.names = draw, list(rows), depth, names
        self.nodes, self.own = [], []

    def name(self) -> str:
        self.names.append(f"v{len(self.names)}")
        return self.names[-1]

    def node(self, kind, inputs, outputs=1, **attributes):
        results = [self.name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, results, **attributes))
        return results if outputs > 1 else results[0]

    def constant(self, value) -> str:
        return self.node("Constant", [], value=numpy_helper.from_array(np.asarray(value)))

    def weights(self, *shape) -> str:
        return self.constant((self.draw.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32))

    def row(self) -> str:
        """Any value in sight, those made here more often."""
        return self.draw.choice(self.own if self.own and self.draw.random() < 0.6 else self.rows)

    def keep(self, row):
        self.rows.append(row)
        self.own.append(row)

    def fill(self, steps: int):
        kinds = ["plain", "plain", "product"] + (
            ["loop", "loop", "until", "scan", "branch", "lstm"] if self.depth else []
        )
        for _ in range(steps):
            getattr(self, self.draw.choice(kinds))()

    def inner(self, rows) -> "Body":
        return Body(self.draw, self.rows + rows, self.depth - 1, self.names)

    # --- what a step may be -----------------------------------------------

    def plain(self):
        kind = self.draw.choice(["Add", "Mul", "Sub", "Tanh", "Identity"])
        self.keep(self.node(kind, [self.row()] if kind in ("Tanh", "Identity") else [self.row(), self.row()]))

    def product(self):
        self.keep(self.node("Tanh", [self.node("MatMul", [self.row(), self.weights(WIDTH, WIDTH)])]))

    def lstm(self):
        steps = int(self.draw.integers(1, 4))
        shape = self.constant(np.int64([steps, 1, WIDTH]))
        x = self.node("Expand", [self.row(), shape])
        w, r = self.weights(1, 4 * WIDTH, WIDTH), self.weights(1, 4 * WIDTH, WIDTH)
        start = self.node("Reshape", [self.row(), self.constant(np.int64([1, 1, WIDTH]))])
        _, last, _ = self.node("LSTM", [x, w, r, "", "", start, start], 3, hidden_size=WIDTH)
        self.keep(self.node("Reshape", [last, self.constant(np.int64(ROW))]))

    def condition(self) -> str:
        total = self.node("ReduceSum", [self.row()], keepdims=0)
        return self.node("Less", [total, self.constant(np.float32(0.3))])

    def ends(self, states, count):
        """What a body hands on: new values, states as they were, states of others."""
        return [self.draw.choice(self.own + states) if self.own else self.draw.choice(states) for _ in range(count)]

    def results(self, values, shape=ROW):
        """A body's outputs need names of their own."""
        made = [self.node("Identity", [value]) for value in values]
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in made]

    def loop(self, until: bool = False):
        count = int(self.draw.integers(1, 4))
        states = [self.name() for _ in range(count)]
        step, go = self.name(), self.name()
        body = self.inner(states)
        if self.draw.random() < 0.5:
            number = body.node("Cast", [step], to=TensorProto.FLOAT)
            body.keep(body.node("Mul", [body.row(), number]))
        body.fill(int(self.draw.integers(1, 4)))
        on = body.condition() if until else body.node("Identity", [go])
        handed = body.results(body.ends(states, count))
        gathered = 0 if until else int(self.draw.integers(0, 2))
        joined = body.results([body.row() for _ in range(gathered)])
        graph = helper.make_graph(
            body.nodes,
            self.name(),
            [
                helper.make_tensor_value_info(step, TensorProto.INT64, []),
                helper.make_tensor_value_info(go, TensorProto.BOOL, []),
                *[helper.make_tensor_value_info(name, TensorProto.FLOAT, ROW) for name in states],
            ],
            [helper.make_tensor_value_info(on, TensorProto.BOOL, []), *handed, *joined],
        )
        trips = int(self.draw.integers(1 if gathered else 0, 4))
        starts = [self.row() for _ in range(count)]
        made = self.node("Loop", [self.constant(np.int64(trips)), "", *starts], count + gathered, body=graph)
        self.take(made, count)

    def take(self, made, count):
        made = made if isinstance(made, list) else [made]
        for row in made[:count]:
            self.keep(row)
        for rows in made[count:]:
            self.keep(self.node("ReduceSum", [rows, self.constant(np.int64([0]))], keepdims=0))

    def until(self):
        self.loop(until=True)

    def scan(self):
        count, steps = int(self.draw.integers(0, 3)), int(self.draw.integers(1, 4))
        states, seen = [self.name() for _ in range(count)], self.name()
        body = self.inner([*states, seen])
        body.fill(int(self.draw.integers(1, 4)))
        handed = body.results(body.ends(states, count) if count else [])
        joined = body.results([body.row()])
        graph = helper.make_graph(
            body.nodes,
            self.name(),
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ROW) for name in [*states, seen]],
            [*handed, *joined],
        )
        scanned = self.node("Expand", [self.row(), self.constant(np.int64([steps, WIDTH]))])
        scanned = self.node("Mul", [scanned, self.weights(steps, WIDTH)])
        starts = [self.row() for _ in range(count)]
        self.take(self.node("Scan", [*starts, scanned], count + 1, body=graph, num_scan_inputs=1), count)

    def branch(self):
        count = int(self.draw.integers(1, 3))
        sides = []
        for _ in range(2):
            side = self.inner([])
            side.fill(int(self.draw.integers(0, 3)))
            results = side.results([side.row() for _ in range(count)])
            sides.append(helper.make_graph(side.nodes, self.name(), [], results))
        made = self.node("If", [self.condition()], count, then_branch=sides[0], else_branch=sides[1])
        self.take(made, count)


def nested(seed: int):
    draw = np.random.default_rng(seed)
    body = Body(draw, ["x", "y"], 3, ["x", "y"])
    while len(body.own) < 4:
        body.fill(2)
    outputs = body.results(body.own[-3:] + ["x"])
    graph = helper.make_graph(
        body.nodes,
        f"nested_{seed}",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ROW) for name in "xy"],
        outputs,
    )
    feeds = {name: draw.standard_normal(ROW).astype(np.float32) for name in "xy"}
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), feeds


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("seed", range(12))
def test_nested(tools, seed, target):
    model, feeds = nested(seed)
    wanted = reference(model, feeds)
    got = tools.execute(tools.compile(model, target=target), feeds, "--ideal")
    for name, value in wanted.items():
        assert np.isfinite(value).all()
        assert relative_error(got[name], value) <= 2e-5, name


SELECTION = """
<ir_version: 8, opset_import: ["" : 18]>
selects (float[6] x, bool c, bool d) => (float[1] y) {
  y = If (c) <
    then_branch = one () => (float[1] a) {
      places = NonZero (x)
      rows = Transpose <perm = [1, 0]> (places)
      found = GatherND (x, rows)
      sum = ReduceSum (found)
      a = If (d) <
        then_branch = two () => (float[1] e) { e = Exp (sum) },
        else_branch = three () => (float[1] f) { f = Neg (sum) }
      >
    },
    else_branch = four () => (float[1] b) { b = ReduceSum (x) }
  >
}
"""


@pytest.mark.parametrize("c", [False, True])
@pytest.mark.parametrize("d", [False, True])
def test_branch_in_a_branch_that_counts_in_the_run(tools, c, d):
    """The outer branch holds an extent of the run while the inner one is built."""
    model = onnx.parser.parse_model(SELECTION)
    feeds = {"x": np.float32([0, 0.5, 0, -2, 1, 0]), "c": np.array(c), "d": np.array(d)}
    got = tools.execute(tools.compile(model, target="ideal"), feeds, "--ideal")
    assert relative_error(got["y"], reference(model, feeds)["y"]) <= 1e-6
