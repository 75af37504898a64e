"""If, Loop and Scan, compiled and run without noise, against ONNX Runtime.
Models are in ONNX's text form."""

import re

import numpy as np
import onnx
import pytest

from harness import reference, relative_error

HEADER = '<ir_version: 8, opset_import: ["" : {opset}]>\n'
RANDOM = np.random.default_rng(7)


def floats(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def parse(text, opset=18):
    model = onnx.parser.parse_model(HEADER.format(opset=opset) + text)
    onnx.checker.check_model(model)
    return model


def check(tools, model, feeds, target, *options):
    wanted = reference(model, feeds)
    # Outputs' shapes are mhoc's to find.
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    frozen = {option.split("=")[1] for option in options if option.startswith("--constant=")}
    program = tools.compile(model, *options, target=target)
    got = tools.execute(program, {name: value for name, value in feeds.items() if name not in frozen}, "--ideal")
    assert set(got) == set(wanted)
    for name, value in wanted.items():
        assert got[name].dtype == value.dtype, name
        if value.dtype.kind == "f":
            assert relative_error(got[name], value) <= 2e-5, name
        else:
            np.testing.assert_array_equal(got[name], value, name)


# --- If ----------------------------------------------------------------------

WEIGHTS = ", ".join(f"{value:.3f}" for value in floats(35))
CHOOSE = f"""test (float[3,5] x, bool c) => (float[3,7] y, float[3,5] z) {{
  y, z = If (c) <
    then_branch = one () => (float[3,7] a, float[3,5] b) {{
      w = Constant <value = float[5,7] {{ {WEIGHTS} }}> ()
      a = MatMul (x, w)
      b = Exp (x)
    }},
    else_branch = two () => (float[3,7] d, float[3,5] e) {{
      s = ReduceSum <keepdims = 1> (x)
      t = Constant <value_ints = [3, 7]> ()
      d = Expand (s, t)
      e = Identity (x)
    }}
  >
}}"""


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("taken", [True, False])
def test_if(tools, taken, target):
    check(tools, parse(CHOOSE), {"x": floats(3, 5), "c": np.array(taken)}, target)


@pytest.mark.parametrize("taken", [True, False])
def test_if_frozen(tools, taken):
    feeds = {"x": floats(3, 5), "c": np.array(taken)}
    check(tools, parse(CHOOSE), feeds, "ideal", f"--constant=c={str(taken).lower()}")


@pytest.mark.parametrize("sign", [1, -1])
def test_if_on_a_computed_condition(tools, sign):
    """The condition is a value of the graph, and branches are nested."""
    model = parse("""test (float[4] x) => (float[4] y) {
      zero = Constant <value = float {0.0}> ()
      two = Constant <value = float {2.0}> ()
      s = ReduceMean <keepdims = 0> (x)
      c = Greater (s, zero)
      y = If (c) <
        then_branch = one () => (float[4] a) {
          big = Greater (s, two)
          a = If (big) <
            then_branch = three () => (float[4] f) { f = Sub (x, s) },
            else_branch = four () => (float[4] g) { g = Add (x, s) }
          >
        },
        else_branch = two_ () => (float[4] b) { b = Neg (x) }
      >
    }""")
    for offset in (0.5, 3):
        check(tools, model, {"x": np.float32(sign * (np.arange(4) * 0.1 + offset))}, "ideal")


def test_if_per_sample(tools):
    """Samples of one run take different branches."""
    model = parse("""test (float[1,4] x) => (float[1,4] y) {
      zero = Constant <value = float {0.0}> ()
      s = ReduceSum <keepdims = 0> (x)
      c = Greater (s, zero)
      y = If (c) <
        then_branch = one () => (float[1,4] a) { a = Exp (x) },
        else_branch = two () => (float[1,4] b) { b = Neg (x) }
      >
    }""")
    x = floats(9, 4)
    got = tools.execute(tools.compile(model), {"x": x}, "--ideal")["y"]
    wanted = np.where(x.sum(1, keepdims=True) > 0, np.exp(x), -x)
    assert relative_error(got, wanted) <= 1e-5


# --- Loop --------------------------------------------------------------------


def counted(steps):
    return f"""test (float[3] x) => (float[3] last, float[{steps},3] all) {{
      n = Constant <value = int64 {{{steps}}}> ()
      last, all = Loop (n, , x) <
        body = step (int64 i, bool go, float[3] v) => (bool on, float[3] w, float[3] z) {{
          on = Identity (go)
          f = Cast <to = 1> (i)
          w = Add (v, f)
          z = Mul (w, v)
        }}
      >
    }}"""


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("steps", [1, 2, 3, 11])
def test_loop(tools, steps, target):
    check(tools, parse(counted(steps)), {"x": floats(3)}, target)


def test_loop_without_steps(tools):
    check(tools, parse(counted(0)), {"x": floats(3)}, "ideal")


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_loop_with_weights(tools, target):
    """A product with constant weights in the loop, and a value that is left as it was."""
    model = parse(f"""test (float[2,5] x, float[2,5] k) => (float[2,5] y, float[2,5] z) {{
      w = Constant <value = float[5,7] {{ {WEIGHTS} }}> ()
      t = Transpose <perm = [1, 0]> (w)
      n = Constant <value = int64 {{4}}> ()
      y, z = Loop (n, , x, k) <
        body = step (int64 i, bool go, float[2,5] v, float[2,5] l) => (bool on, float[2,5] u, float[2,5] m) {{
          on = Identity (go)
          p = MatMul (v, w)
          q = Tanh (p)
          r = MatMul (q, t)
          u = Sub (r, l)
          m = Identity (l)
        }}
      >
    }}""")
    check(tools, model, {"x": floats(2, 5), "k": floats(2, 5)}, target)


WHILE = """test (float[3] x, bool c) => (float[3] y, float s) {
  n = Constant <value = int64 {20}> ()
  limit = Constant <value = float {90.0}> ()
  zero = Constant <value = float {0.0}> ()
  y, s = Loop (n, c, x, zero) <
    body = step (int64 i, bool go, float[3] v, float t) => (bool on, float[3] w, float u) {
      w = Add (v, v)
      a = Abs (w)
      u = ReduceSum <keepdims = 0> (a)
      on = Less (u, limit)
    }
  >
}"""


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("start", [1.0, 1e-9, 200.0])
def test_loop_until(tools, start, target):
    """It ends by its condition, by its trip count, or after one step."""
    check(tools, parse(WHILE), {"x": np.float32([1, -2, 3]) * np.float32(start), "c": np.array(True)}, target)


def test_loop_that_does_not_begin(tools):
    check(tools, parse(WHILE), {"x": floats(3), "c": np.array(False)}, "ideal")


def test_loop_until_per_sample(tools):
    """Samples of one run end after different numbers of steps."""
    model = parse(WHILE.replace("float[3]", "float[1,3]"))
    x = floats(8, 3) * np.float32(10.0) ** RANDOM.integers(-4, 2, (8, 1)).astype(np.float32)
    program = tools.compile(model, "--constant=c=true")
    got = tools.execute(program, {"x": x[:, None]}, "--ideal")["y"]
    wanted = np.stack([reference(model, {"x": one[None], "c": np.array(True)})["y"] for one in x])
    assert relative_error(got.reshape(wanted.shape), wanted) <= 1e-5


@pytest.mark.parametrize("steps", [0, 1, 6])
def test_loop_of_a_live_trip_count(tools, steps):
    model = parse("""test (float[3] x, int64 n) => (float[3] y) {
      y = Loop (n, , x) <
        body = step (int64 i, bool go, float[3] v) => (bool on, float[3] w) {
          on = Identity (go)
          f = Cast <to = 1> (i)
          w = Add (v, f)
        }
      >
    }""")
    check(tools, model, {"x": floats(3), "n": np.array(steps)}, "ideal")


def test_loop_that_grows(tools):
    """Shapes change from step to step; slices follow from the step's number."""
    model = parse("""test (float[2] x, float[5] p) => (float[k] y, float[4,1] z) {
      n = Constant <value = int64 {4}> ()
      one = Constant <value_ints = [1]> ()
      axis = Constant <value_ints = [0]> ()
      y, z = Loop (n, , x) <
        body = step (int64 i, bool go, float[m] v) => (bool on, float[l] w, float[1] q) {
          on = Identity (go)
          from = Unsqueeze (i, axis)
          to = Add (from, one)
          q = Slice (p, from, to)
          w = Concat <axis = 0> (v, q)
        }
      >
    }""")
    check(tools, model, {"x": floats(2), "p": floats(5)}, "ideal")


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_loops_in_loops(tools, target):
    """The inner loop starts from a state that is also read inside."""
    model = parse("""test (float[3] x) => (float[3] y, float[3,4,3] all) {
      n = Constant <value = int64 {3}> ()
      y, all = Loop (n, , x) <
        body = outer (int64 i, bool go, float[3] v) => (bool on, float[3] w, float[4,3] z) {
          on = Identity (go)
          m = Constant <value = int64 {4}> ()
          w, z = Loop (m, , v) <
            body = inner (int64 j, bool stay, float[3] a) => (bool still, float[3] b, float[3] d) {
              still = Identity (stay)
              s = Add (i, j)
              f = Cast <to = 1> (s)
              e = Add (a, f)
              b = Tanh (e)
              d = Mul (b, v)
            }
          >
        }
      >
    }""")
    check(tools, model, {"x": floats(3)}, target)


def test_branch_in_a_loop(tools):
    model = parse("""test (float[3] x) => (float[3] y) {
      n = Constant <value = int64 {7}> ()
      three = Constant <value = int64 {3}> ()
      y = Loop (n, , x) <
        body = step (int64 i, bool go, float[3] v) => (bool on, float[3] w) {
          on = Identity (go)
          c = Less (i, three)
          w = If (c) <
            then_branch = up () => (float[3] a) { a = Add (v, x) },
            else_branch = down () => (float[3] b) { b = Mul (v, v) }
          >
        }
      >
    }""")
    check(tools, model, {"x": np.float32([0.1, -0.2, 0.15])}, "ideal")


# --- Scan --------------------------------------------------------------------


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_scan(tools, steps, target):
    """Two scan inputs, one backwards and on another axis; two results."""
    model = parse(f"""test (float[2] s, float[2,{steps}] a, float[{steps},2] b)
        => (float[2] last, float[2,{steps}] all, float[{steps}] sums) {{
      last, all, sums = Scan <num_scan_inputs = 2, scan_input_axes = [1, 0], scan_input_directions = [0, 1],
                              scan_output_axes = [-1, 0], scan_output_directions = [1, 0],
        body = step (float[2] t, float[2] p, float[2] q) => (float[2] u, float[2] z, float y) {{
          r = Mul (p, q)
          u = Add (t, r)
          z = Identity (u)
          y = ReduceSum <keepdims = 0> (r)
        }}
      > (s, a, b)
    }}""")
    check(tools, model, {"s": floats(2), "a": floats(2, steps), "b": floats(steps, 2)}, target)


SCAN_8 = """test (int64[3] n, float[3,2] s, float[3,5,2] x) => (float[3,2] last, float[3,5,2] all) {
  last, all = Scan <num_scan_inputs = 1,
    body = step (float[2] t, float[2] p) => (float[2] u, float[2] z) { u = Add (t, p) z = Mul (u, p) }
  > (LENGTHS, s, x)
}"""


@pytest.mark.parametrize("lengths", [None, [5, 5, 5], [2, 5, 3]])
def test_batched_scan(tools, lengths):
    """Opset 8: a batch in front, and sequences that end early."""
    model = parse(SCAN_8.replace("LENGTHS", "n" if lengths else ""), opset=8)
    feeds = {"s": floats(3, 2), "x": floats(3, 5, 2), "n": np.array(lengths or [0, 0, 0])}
    got = tools.execute(tools.compile(model, target="ideal"), feeds, "--ideal")
    state, all_steps = feeds["s"].copy(), np.zeros((3, 5, 2), np.float32)
    for sample in range(3):
        for step in range(lengths[sample] if lengths else 5):
            state[sample] += feeds["x"][sample, step]
            all_steps[sample, step] = state[sample] * feeds["x"][sample, step]
    assert relative_error(got["last"], state) <= 1e-5
    assert relative_error(got["all"], all_steps) <= 1e-5


# --- refusals ----------------------------------------------------------------

REFUSED = {
    "shapes of branches": (
        CHOOSE.replace("e = Identity (x)", "e = Transpose (x)").replace("float[3,5] e", "float[5,3] e"),
        r"output 1 is tensor<3x5xf32> by then_branch and tensor<5x3xf32> by else_branch",
    ),
    "endless": (
        WHILE.replace("on = Less (u, limit)", "on = Identity (go)").replace("Loop (n, c, ", "Loop ( , , "),
        r"it never ends: there is no trip count and the condition always holds",
    ),
    "unknown count": (
        counted(3).replace("n = Constant <value = int64 {3}> ()", "").replace("float[3] x)", "float[3] x, int64 n)"),
        r"how many slices its output 'z' joins is known only at run time.*--constant",
    ),
    "condition": (
        CHOOSE.replace("bool c", "bool[2] c"),
        r"the condition must be one bool",
    ),
    "scan lengths": (
        """test (float[5,2] x, float[4,2] k) => (float[5,2] y) {
          y = Scan <num_scan_inputs = 2, body = step (float[2] p, float[2] q) => (float[2] z) { z = Add (p, q) }> (x, k)
        }""",
        r"scan inputs have 5 and 4 positions along their axes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(tools, name):
    text, message = REFUSED[name]
    model = onnx.parser.parse_model(HEADER.format(opset=18) + text)
    onnx.save(model, tools.folder / "m.onnx")
    error = tools.refuse("mhoc", tools.folder / "m.onnx", "-o", "m.mho")
    assert re.search(message, error), error
