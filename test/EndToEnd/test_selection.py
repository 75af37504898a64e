"""Operators whose results are as long as the data say, and what follows them: the program is planned for the most there
can be, and every run gives as many elements as there are."""

import numpy as np
import onnx
import pytest

from graphs import Bounded, Graph
from harness import reference, relative_error

CASES = {}


def case(*feeds):
    """Registers a graph that is run once with each of `feeds`, functions of a random generator."""

    def register(function):
        CASES[function.__name__] = (function, feeds)
        return function

    return register


def sparse(*shape, kind=np.float32, filled=0.4):
    """Elements of which only some are not zero."""

    def make(rng):
        values = rng.standard_normal(shape) * 3 if kind != np.bool_ else np.ones(shape)
        return np.where(rng.random(shape) < filled, values, 0).astype(kind)

    return make


def zeros(*shape, kind=np.float32):
    return sparse(*shape, kind=kind, filled=0)


def ones(*shape, kind=np.float32):
    return sparse(*shape, kind=kind, filled=1.1)


def normal(*shape):
    return lambda rng: rng.standard_normal(shape).astype(np.float32)


def every(*shape, kind=np.float32):
    """Some, none and all."""
    return [sparse(*shape, kind=kind), zeros(*shape, kind=kind), ones(*shape, kind=kind)]


def odd_floats(rng):
    return np.array([[0, -0.0, np.nan, 1e-40], [np.inf, -np.inf, 0, 2]], np.float32)


# --- NonZero -------------------------------------------------------------------


@case([odd_floats], *([x] for x in every(2, 4)))
def nonzero(g, x):
    return g("NonZero", x)


@case(*([x] for x in every(3, 1, 7, kind=np.bool_)))
def nonzero_of_bools(g, x):
    return g("NonZero", x)


@case(*([x] for x in every(13, kind=np.int64)))
def nonzero_of_integers(g, x):
    return g("NonZero", x), g("NonZero", g("Cast", x, to=2))


@case(*([x, normal(5, 7)] for x in every(5, 7)))
def masked_elements(g, mask, x):
    """x[mask] as exporters write it, and a sum of it."""
    places = g("Transpose", g("NonZero", mask), perm=[1, 0])
    chosen = g("GatherND", x, places)
    return chosen, g("Exp", chosen), g("ReduceSum", chosen, g.int64(0), keepdims=0)


@case(*([x] for x in every(23)))
def best_of_what_is_chosen(g, x):
    """As exported detectors have it: the best five, or as many as there are."""
    places = g("Transpose", g("NonZero", g("Greater", x, g.weight(values=np.float32(0)))), perm=[1, 0])
    chosen = g("GatherND", x, places)
    count = g("Gather", g("Shape", chosen), g.weight(values=np.int64(0)), axis=0)
    limits = g("Concat", g.int64(5), g("Unsqueeze", count, g.int64(0)), axis=0)
    few = g("Reshape", g("ReduceMin", limits, keepdims=0), g.int64(1))
    values, indices = g("TopK", chosen, few, outputs=2)
    return values, g("Gather", places, indices, axis=0)


@case(*([x, normal(5, 3, 2)] for x in every(5)))
def masked_rows(g, mask, x):
    rows = g("GatherND", x, g("Transpose", g("NonZero", mask), perm=[1, 0]))
    return rows, g("ReduceMax", g("Concat", rows, g.weight(1, 3, 2), axis=0), g.int64(0))


@case(*([x] for x in every(6, 5)))
def masked_fill(g, x):
    """Zeros at the places of what is positive, and the values counted there."""
    places = g("Transpose", g("NonZero", g("Greater", x, g.weight(values=np.float32(0)))), perm=[1, 0])
    count = g("Slice", g("Shape", places), g.int64(0), g.int64(1), g.int64(0))
    return g("ScatterND", x, places, g("Expand", g.weight(values=np.float32([-1])), count)), places


@case(*([x] for x in every(4, 9)))
def mean_of_what_is_there(g, x):
    """The number of elements is a value, too; an empty mean is no number."""
    found = g("GatherND", x, g("Transpose", g("NonZero", x), perm=[1, 0]))
    return g("Div", g("ReduceSum", found, g.int64(0)), g("Cast", g("Size", found), to=1))


@case(*([x] for x in every(3, 8)))
def flattened_places(g, x):
    rows, columns = g("Split", g("NonZero", x), outputs=2, num_outputs=2, axis=0)
    row, column = g("Squeeze", rows, g.int64(0)), g("Squeeze", columns, g.int64(0))
    flat = g("Add", g("Mul", row, g.int64(8)), column)
    return g("Gather", g("Reshape", x, g.int64(-1)), flat), g(
        "GatherElements", x, g("Concat", rows, rows, axis=0), axis=1
    )


@case(*([x] for x in every(11)))
def running_sums(g, x):
    chosen = g("Compress", x, g("Cast", x, to=9))
    return g("CumSum", chosen, g.weight(values=np.array(0, np.int32))), g("Softmax", g("Unsqueeze", chosen, g.int64(0)))


# --- Compress --------------------------------------------------------------------


@case(*([normal(4, 7), x] for x in every(4, kind=np.bool_)))
def compress_rows(g, x, condition):
    rows = g("Compress", x, condition, axis=0)
    return rows, g("MatMul", rows, g.weight(7, 5)), g("Relu", g("Gemm", rows, g.weight(9, 7), g.weight(9), transB=1))


@case(*([normal(3, 6, 2), x] for x in every(5, kind=np.bool_)))
def compress_columns(g, x, condition):
    """The condition may be shorter than the axis."""
    columns = g("Compress", x, condition, axis=1)
    return (
        g("Transpose", columns, perm=[1, 2, 0]),
        g("ReduceSum", columns, g.int64(1)),
        g("Compress", x, condition, axis=-2),
    )


@case(*([normal(3, 4), x] for x in every(10, kind=np.bool_)))
def compress_elements(g, x, condition):
    return g("Compress", x, condition)


@case(*([normal(6, 3), normal(6, 3), x] for x in every(6, kind=np.bool_)))
def compressed_alike(g, x, y, condition):
    """One condition gives one extent."""
    a, c = g("Compress", x, condition, axis=0), g("Compress", y, condition, axis=0)
    return g("Add", a, c), g("MatMul", a, g("Transpose", c, perm=[1, 0])), g("Concat", a, c, axis=1)


@case(*([normal(6, 4), x] for x in every(6, kind=np.bool_)))
def compressed_between_products(g, x, condition):
    """The extent goes from arrays to arrays."""
    hidden = g("Tanh", g("MatMul", x, g.weight(4, 8)))
    return g("MatMul", g("Compress", hidden, condition, axis=0), g.weight(8, 3))


# --- Unique ----------------------------------------------------------------------


def few(*shape, kind=np.float32, high=4):
    """So few values that many are equal."""
    return lambda rng: rng.integers(-2 if kind != np.uint8 else 0, high, shape).astype(kind)


def unique(g, x, **attributes):
    return tuple(g("Unique", x, outputs=4, **attributes))


@case([few(23)], [few(23, high=-1)], [few(23, high=90)])
def unique_sorted(g, x):
    return unique(g, x)


@case([few(3, 5)], [few(3, 5, high=-1)], [few(3, 5, high=90)])
def unique_unsorted(g, x):
    return unique(g, x, sorted=0)


@case([few(7, 3, high=0)], [few(7, 3, high=-1)], [few(7, 3, high=90)])
def unique_rows(g, x):
    return *unique(g, x, axis=0), *unique(g, x, axis=0, sorted=0)


@case([few(2, 6, 1, kind=np.int64, high=0)])
def unique_columns(g, x):
    return *unique(g, x, axis=-2), *unique(g, x, axis=1, sorted=0)


@case([few(19, kind=np.int8)], [few(19, kind=np.int8, high=-1)])
def unique_of_narrow_integers(g, x):
    return unique(g, x)


@case([few(9)])
def unique_and_back(g, x):
    """What the inverse is for: the elements again, from the different ones."""
    y, first, inverse, counts = unique(g, x)
    weighted = g("Mul", y, g("Cast", counts, to=1))
    return g("Gather", y, inverse), g("ReduceSum", weighted, g.int64(0)), g("Gather", x, first)


# --- NonMaxSuppression -------------------------------------------------------------


def corners(images, count):
    def make(rng):
        low = rng.random((images, count, 2)) * 3
        boxes = np.concatenate([low, low + rng.random((images, count, 2)) + 0.2], -1)
        # Any two opposite corners may be named.
        turned = rng.random((images, count, 1)) < 0.3
        return np.where(turned, boxes[..., [2, 3, 0, 1]], boxes).astype(np.float32)

    return make


def scores(images, classes, count, low=0):
    return lambda rng: (rng.random((images, classes, count)) + low).astype(np.float32)


def limits(g, most, overlap=0.3, score=None):
    given = [g.int64(most), g.weight(values=np.float32([overlap]))]
    return given if score is None else [*given, g.weight(values=np.float32([score]))]


@case([corners(2, 17), scores(2, 3, 17)], [corners(2, 17), scores(2, 3, 17, low=-2)])
def suppression(g, boxes, values):
    return g("NonMaxSuppression", boxes, values, *limits(g, 4, score=0.4)), g("NonMaxSuppression", boxes, values)


@case([corners(1, 12), scores(1, 2, 12)])
def suppression_of_centres(g, boxes, values):
    return g("NonMaxSuppression", boxes, values, *limits(g, 100), center_point_box=1)


@case([corners(1, 12), lambda rng: np.repeat(scores(1, 1, 6)(rng), 2, -1)])
def suppression_of_equal_scores(g, boxes, values):
    return g("NonMaxSuppression", boxes, values, *limits(g, 12, overlap=0.0))


@case(*([corners(1, 9), scores(1, 2, 9), lambda rng, n=n: np.array([n])] for n in (0, 1, 5, 2**40, -3)))
def suppression_to_a_number_of_the_run(g, boxes, values, most):
    return g("NonMaxSuppression", boxes, values, most, g.weight(values=np.float32([0.2])))


@case([corners(1, 20), scores(1, 1, 20)], [corners(1, 20), scores(1, 1, 20, low=-5)])
def detection_tail(g, boxes, values):
    """The chosen boxes and their scores, as detectors end."""
    chosen = g("NonMaxSuppression", boxes, values, *limits(g, 8, score=0.05))
    number = g("Squeeze", g("Slice", chosen, g.int64(2), g.int64(3), g.int64(1)), g.int64(1))
    return g("Gather", g("Squeeze", boxes, g.int64(0)), number, axis=0), g("GatherND", values, chosen)


@case(
    [corners(1, 20), scores(1, 1, 20)],
    [corners(1, 20), scores(1, 1, 20, low=-5)],
    [corners(1, 20), scores(1, 1, 20, low=1)],
)
def filtered_detections(g, boxes, values):
    """Boxes are first chosen by their scores: suppression of as many as there are."""
    flat = g("Reshape", values, g.int64(-1))
    found = g("Squeeze", g("NonZero", g("Greater", flat, g.weight(values=np.float32(0.5)))), g.int64(0))
    kept, score = g("Gather", boxes, found, axis=1), g("Gather", values, found, axis=2)
    chosen = g("NonMaxSuppression", kept, score, *limits(g, 6))
    number = g("Gather", chosen, g.weight(values=np.array(2)), axis=1)
    return chosen, g("Gather", kept, number, axis=1)


# --- Range ---------------------------------------------------------------------------


def scalar(value, kind=np.int64):
    return lambda rng: np.array(value, kind)


@case(*([scalar(a), scalar(e), scalar(s)] for a, e, s in [(2, 13, 3), (5, 5, 1), (3, -4, -2), (1, 0, 4)]))
def range_of_integers(g, start, limit, step):
    """--loop-bound=Range_0=12"""
    return g("Range", start, limit, step)


@case(*([scalar(e, np.float32)] for e in (0, 0.25, 1.9, -3)))
def range_of_floats(g, limit):
    """--loop-bound=Range_0=12"""
    numbers = g("Range", g.weight(values=np.float32(-0.5)), limit, g.weight(values=np.float32(0.25)))
    return numbers, g("ReduceSum", g("Mul", numbers, numbers), g.int64(0))


# --- with inputs of bounded extents ---------------------------------------------------


@case(*([x] for x in (sparse(1, 5), sparse(9, 5), zeros(4, 5), ones(9, 5), ones(2, 5))))
def of_a_bounded_input(g, x):
    """--shape=n=1..9"""
    places = g("NonZero", x)
    rows = g("Compress", x, g("Cast", g("ReduceMax", x, g.int64(1), keepdims=0), to=9), axis=0)
    return places, rows, g("MatMul", rows, g.weight(5, 3))


@case(*([few(n)] for n in (1, 6, 9)))
def unique_of_a_bounded_input(g, x):
    """--shape=n=1..9"""
    return *unique(g, x), *unique(g, x, sorted=0)


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", CASES)
def test_selection(tools, name, target):
    function, runs = CASES[name]
    graph = Graph(seed=len(name))
    made = [[make(graph.rng) for make in feeds] for feeds in runs]
    options = (function.__doc__ or "").split() if (function.__doc__ or "").startswith("--") else []
    bounded = "--shape=n=1..9" in options
    inputs = [
        graph.input(values=values, declared=["n", *values.shape[1:]] if bounded else values.shape) for values in made[0]
    ]
    outputs = function(graph, *inputs)
    model = graph.model(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    program = tools.compile(model, *options, target=target)
    for values in made:
        feeds = dict(zip(inputs, values, strict=True))
        wanted = reference(model, feeds)
        got = tools.execute(program, feeds, "--ideal")
        assert set(got) == set(wanted)
        for output, value in wanted.items():
            assert got[output].dtype == value.dtype, output
            assert got[output].shape == value.shape, output
            if value.dtype.kind == "f" and np.isfinite(value).all():
                assert relative_error(got[output], value) <= 2e-5, output
            else:
                np.testing.assert_array_equal(got[output], value, output)


# --- Loop ------------------------------------------------------------------------------


def parse(text):
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 18]>\n{text}')


COUNTED = """test (float[3] x, int64 m) => (float[3] last, float[k,3] all, float[k,2] product, float[3] total) {
  w = Constant <value = float[3,2] {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}> ()
  axis = Constant <value_ints = [0]> ()
  [loop] last, all = Loop (m, , x) <
    body = step (int64 i, bool go, float[3] v) => (bool on, float[3] next, float[3] slice) {
      on = Identity (go)
      f = Cast <to = 1> (i)
      half = Constant <value = float {0.5}> ()
      scaled = Mul (v, half)
      next = Add (scaled, f)
      slice = Tanh (next)
    }
  >
  product = MatMul (all, w)
  total = ReduceSum <keepdims = 0> (all, axis)
}"""

UNTIL = """test (float[3] x, float limit, bool first) => (float[3] last, float[k,3] all, int64[k] numbers, int64[2] size) {
  most = Constant <value = int64 {11}> ()
  [loop] last, all, numbers = Loop (most, first, x) <
    body = step (int64 i, bool go, float[3] v) => (bool on, float[3] next, float[3] before, int64 number) {
      two = Constant <value = float {2.0}> ()
      next = Mul (v, two)
      sum = ReduceSum <keepdims = 0> (next)
      on = Less (sum, limit)
      before = Identity (v)
      number = Identity (i)
    }
  >
  size = Shape (all)
}"""


def run(tools, model, program, feeds):
    wanted = reference(model, feeds)
    got = tools.execute(program, feeds, "--ideal")
    for name, value in wanted.items():
        assert got[name].dtype == value.dtype and got[name].shape == value.shape, name
        assert relative_error(got[name], value) <= 1e-5, name


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_slices_of_a_loop_with_a_trip_count_of_the_run(tools, target):
    model = parse(COUNTED)
    program = tools.compile(model, "--loop-bound=loop=9", target=target)
    for steps in (0, 1, 4, 9, -2):
        run(tools, model, program, {"x": np.float32([1, -2, 3]), "m": np.array(steps)})


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_slices_of_a_loop_until_something_holds(tools, target):
    """Its constant trip count is the bound."""
    model = parse(UNTIL)
    program = tools.compile(model, target=target)
    for limit in (0, 100, 1e30):
        for first in (True, False):
            feeds = {"x": np.float32([1, 2, 0.5]), "limit": np.array(limit, np.float32), "first": np.array(first)}
            run(tools, model, program, feeds)


def test_a_loop_without_bound_says_how_to_give_one(tools):
    onnx.save(parse(COUNTED), tools.folder / "m.onnx")
    message = tools.refuse("mhoc", "m.onnx", "-o", "m.mho")
    assert "how many slices its output 'slice' joins is known only at run time and has no bound" in message
    assert "--loop-bound=loop=N" in message and "--constant" in message


def test_a_loop_over_an_extent(tools):
    """The trip count is the extent of an input: so is the number of slices."""
    model = parse("""test (float[n,3] x) => (float[n,3] y) {
      shape = Shape <start = 0, end = 1> (x)
      m = Squeeze (shape)
      zero = Constant <value = float[3] {0.0, 0.0, 0.0}> ()
      last, all = Loop (m, , zero) <
        body = step (int64 i, bool go, float[3] v) => (bool on, float[3] next, float[3] slice) {
          on = Identity (go)
          row = Gather <axis = 0> (x, i)
          next = Add (v, row)
          slice = Identity (next)
        }
      >
      y = Add (all, x)
    }""")
    program = tools.compile(model, "--shape=n=0..7", target="ideal")
    for extent in (1, 3, 7):
        run(tools, model, program, {"x": np.random.default_rng(extent).random((extent, 3), np.float32)})


# --- what is refused, and runs of several samples -----------------------------------------


def test_what_takes_no_such_extent_says_what_to_freeze(tools):
    g = Graph()
    rows = g("Compress", g.input(1, 9, 4), g.input(values=np.ones(9, bool)), axis=1)
    onnx.save(g.model(g("MaxPool", rows, kernel_shape=[2])), tools.folder / "m.onnx")
    message = tools.refuse("mhoc", "m.onnx", "-o", "m.mho")
    assert "MaxPool_1" in message and "count of Compress_0, at most 9" in message
    assert "freeze the inputs it follows from with --constant" in message


# --- more than one extent of the run --------------------------------------------------


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_suppression_of_any_number_of_images_classes_and_boxes(tools, target):
    g = Bounded()
    boxes, values = g.open("i", "b", 4), g.open("i", "c", "b")
    model = g.model(g("NonMaxSuppression", boxes, values, *limits(g, 4, score=0.4)))
    program = tools.compile(model, "--shape=i=1..3", "--shape=c=1..4", "--shape=b=1..17", target=target)
    rng = np.random.default_rng(1)
    for images, classes, count in [(3, 4, 17), (1, 1, 1), (2, 3, 9), (1, 4, 17), (3, 1, 5)]:
        feeds = {"x0": corners(images, count)(rng), "x1": scores(images, classes, count)(rng)}
        run(tools, model, program, feeds)


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("axis", [0, 1])
def test_unique_slices_of_a_bounded_width(tools, axis, target):
    g = Bounded()
    x = g.open("n", "m", kind=np.int64, high=2)
    model = g.model(*g("Unique", x, axis=axis, outputs=4), *g("Unique", x, axis=axis, sorted=0, outputs=4))
    program = tools.compile(model, "--shape=n=1..7", "--shape=m=1..6", target=target)
    for n, m in [(7, 6), (1, 1), (7, 2), (5, 3), (2, 6), (6, 1)]:
        run(tools, model, program, g.feed(n=n, m=m))
