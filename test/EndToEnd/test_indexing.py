"""Operators that move elements to computed places, order them or choose among
them, at odd shapes, in several types and opsets, against ONNX Runtime."""

import numpy as np
import pytest

from graphs import Graph
from harness import check

TYPES = [np.float32, np.float64, np.float16, np.int64, np.int32, np.uint8, np.int8, np.bool_]


def elements(graph: Graph, shape, dtype) -> np.ndarray:
    """Few different values, so that many are equal."""
    values = graph.rng.integers(0, 2 if dtype == np.bool_ else 9, shape)
    return (values - (0 if np.dtype(dtype).kind in "ub" else 4)).astype(dtype)


def indices(graph: Graph, shape, extent: int, dtype=np.int64) -> np.ndarray:
    """Negative ones count from the end."""
    return graph.rng.integers(-extent, extent, shape).astype(dtype)


# --- gathering --------------------------------------------------------------


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather_elements(tools, dtype, axis):
    g = Graph(seed=axis + 1)
    x = g.input(values=elements(g, (4, 5, 7), dtype))
    shape = [3, 2, 6]
    shape[axis] = 9
    check(tools, g, g("GatherElements", x, g.input(values=indices(g, shape, [4, 5, 7][axis])), axis=axis))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
@pytest.mark.parametrize("batch, tuples", [(0, 1), (0, 3), (1, 1), (1, 2), (2, 1)])
def test_gather_nd(tools, dtype, batch, tuples):
    g = Graph(seed=batch, opset=13)
    shape = (3, 4, 5, 2)
    places = np.stack([indices(g, (*shape[:batch], 6, 2), shape[batch + i]) for i in range(tuples)], -1)
    x = g.input(values=elements(g, shape, dtype))
    check(tools, g, g("GatherND", x, g.input(values=places), batch_dims=batch))


def test_gather_of_int32_indices_and_scalars(tools):
    g = Graph()
    x = g.input(5, 7)
    several = g("Gather", x, g.input(values=indices(g, (2, 3), 7, np.int32)), axis=1)
    one = g("Gather", x, g.input(values=np.int64(-2)), axis=0)
    check(tools, g, (several, one))


@pytest.mark.parametrize("place", [7, -8])
@pytest.mark.parametrize("kind", ["Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND"])
def test_place_outside_is_an_error(tools, kind, place):
    g = Graph()
    x, places = g.input(7), g.input(values=np.array([[0], [place]] if kind.endswith("ND") else [0, place]))
    y = g(kind, x, places, g.input(2)) if kind.startswith("Scatter") else g(kind, x, places)
    program = tools.compile(g.model(y), target="ideal")
    np.savez(tools.folder / "in.npz", **g.feeds)
    message = tools.refuse("mho-run", program, "--input", "in.npz", "--output", "out.npz", "--ideal")
    assert f"{place}" in message and "7" in message


def test_known_place_outside_is_found_when_compiling(tools):
    g = Graph()
    model = g.model(g("GatherElements", g.input(7), g.int64(0, 7)))
    (tools.folder / "m.onnx").write_bytes(model.SerializeToString())
    message = tools.refuse("mhoc", "m.onnx", "-o", "m.mho", "--target=ideal")
    assert "GatherElements_0" in message and "index 7 is out of range for an axis of 7" in message


@pytest.mark.parametrize("batch, time", [(0, 1), (1, 0), (2, 1)])
def test_reverse_sequence(tools, batch, time):
    g = Graph()
    x = g.input(3, 4, 5)
    lengths = g.input(values=g.rng.integers(0, (3, 4, 5)[time] + 1, (3, 4, 5)[batch]))
    if {batch, time} == {0, 1}:  # all that ONNX Runtime does
        check(tools, g, g("ReverseSequence", x, lengths, batch_axis=batch, time_axis=time))
        return
    wanted = np.moveaxis(g.feeds[x].copy(), (batch, time), (0, 1))
    for row, length in zip(wanted, g.feeds[lengths], strict=True):
        row[:length] = row[:length][::-1].copy()
    y = g("ReverseSequence", x, lengths, batch_axis=batch, time_axis=time)
    check(tools, g, y, wanted={y: np.moveaxis(wanted, (0, 1), (batch, time))})


# --- scattering -------------------------------------------------------------


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("axis", [0, -1])
def test_scatter_elements(tools, dtype, axis):
    g = Graph()
    x = g.input(values=elements(g, (5, 6), dtype))
    # One place a column: which of two updates wins is not defined by ONNX.
    places = np.stack([g.rng.permutation((5, 6)[axis])[:3] for _ in range(4)], 1 + axis)
    check(
        tools,
        g,
        g("ScatterElements", x, g.input(values=places), g.input(values=elements(g, places.shape, dtype)), axis=axis),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8])
@pytest.mark.parametrize("kind", ["add", "mul", "min", "max"])
def test_scatter_combines(tools, kind, dtype):
    g = Graph()
    x = g.input(values=elements(g, (5, 6), dtype))
    places = g.input(values=indices(g, (4, 6), 5))
    y = g("ScatterElements", x, places, g.input(values=elements(g, (4, 6), dtype)), axis=0, reduction=kind)
    tuples = g.input(values=indices(g, (7, 1), 5))
    z = g("ScatterND", x, tuples, g.input(values=elements(g, (7, 6), dtype)), reduction=kind)
    check(tools, g, (y, z))


@pytest.mark.parametrize("tuples", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.bool_, np.int64])
def test_scatter_nd(tools, tuples, dtype):
    g = Graph()
    shape = (4, 5, 3)
    x = g.input(values=elements(g, shape, dtype))
    flat = g.rng.permutation(int(np.prod(shape[:tuples])))[:4]
    places = np.stack(np.unravel_index(flat, shape[:tuples]), -1).reshape(2, 2, tuples)
    updates = elements(g, (2, 2, *shape[tuples:]), dtype)
    check(tools, g, g("ScatterND", x, g.input(values=places), g.input(values=updates)))


def test_scatter_of_known_places(tools):
    g = Graph()
    x = g("Relu", g.input(6, 4))
    y = g("ScatterND", x, g.weight(values=np.array([[1], [-1], [3]])), g.input(3, 4))
    check(tools, g, g("Add", y, x))


@pytest.mark.parametrize("opset, kind", [(9, "Scatter"), (11, "ScatterElements")])
def test_scatter_of_old_opsets(tools, opset, kind):
    g = Graph(opset=opset)
    places = g.input(values=np.array([[2, 0, 1], [1, 3, 0]]))
    check(tools, g, g(kind, g.input(4, 3), places, g.input(2, 3), axis=0))


# --- order ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64, np.int32, np.int8, np.uint8])
@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("axis, count", [(0, 2), (1, 5), (-1, 1)])
def test_top_k(tools, dtype, largest, axis, count):
    g = Graph(opset=24)
    x = g.input(values=elements(g, (3, 5, 7), dtype))
    values, places = g("TopK", x, g.int64(count), outputs=2, axis=axis, largest=largest)
    # Of equal elements the first comes first.
    key = g.feeds[x].astype(np.float64) * (-1 if largest else 1)
    order = np.take(np.argsort(key, axis, kind="stable"), range(count), axis)
    check(tools, g, (values, places), wanted={values: np.take_along_axis(g.feeds[x], order, axis), places: order})


@pytest.mark.parametrize("largest", [0, 1])
def test_top_k_with_nan(tools, largest):
    """NaN counts as the largest."""
    g = Graph()
    row = np.float32([1, np.nan, -np.inf, 3, np.nan, 0, -0.0, np.inf])
    values, places = g("TopK", g.input(values=row), g.int64(8), outputs=2, largest=largest)
    order = np.int64([1, 4, 7, 3, 0, 5, 6, 2] if largest else [2, 5, 6, 0, 3, 7, 1, 4])
    check(tools, g, (values, places), wanted={values: row[order], places: order})


@pytest.mark.parametrize("opset", [9, 10])
def test_top_k_of_old_opsets(tools, opset):
    g = Graph(opset=opset)
    x = g.input(4, 9)
    check(tools, g, g("TopK", x, outputs=2, k=3) if opset == 9 else g("TopK", x, g.int64(3), outputs=2))


def test_top_k_then_gather(tools):
    """Values in the middle of a network, of which only one result is used."""
    g = Graph()
    scores = g("Sigmoid", g.input(1, 50))
    _, places = g("TopK", scores, g.int64(7), outputs=2)
    boxes = g("Gather", g.input(50, 4), g("Squeeze", places, g.int64(0)), axis=0)
    check(tools, g, boxes)


# --- masks and shapes -------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_, np.float16])
@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [None, -2, 3, 9])
def test_trilu(tools, dtype, upper, k):
    g = Graph()
    x = g.input(values=elements(g, (2, 5, 4), dtype))
    inputs = [x] if k is None else [x, g.input(values=np.int64(k))]
    check(tools, g, g("Trilu", *inputs, upper=upper))


def test_one_hot(tools):
    g = Graph()
    places = g.input(values=np.array([[0, 3, -1], [5, -6, 2]]))
    values = g.input(values=np.float32([-1, 4]))
    depth = g.int64(5)
    ys = [g("OneHot", places, depth, values, axis=axis) for axis in (-1, 0, 1)]
    y = g("OneHot", g("Cast", places, to=1), depth, g.weight(values=np.int64([0, 1])))
    check(tools, g, (*ys, y))


@pytest.mark.parametrize("k", [-1, 0, 2])
def test_eye_like(tools, k):
    g = Graph()
    x = g.input(3, 5)
    check(tools, g, (g("EyeLike", x, k=k), g("EyeLike", x, k=k, dtype=7)))


def test_compress_with_a_known_condition(tools):
    g = Graph()
    x, condition = g.input(3, 5, 2), g.weight(values=np.array([True, False, True]))
    check(
        tools,
        g,
        (g("Compress", x, condition, axis=1), g("Compress", x, condition, axis=0), g("Compress", x, condition)),
    )


def test_non_zero_and_unique_of_constants(tools):
    g = Graph()
    table = g.weight(values=np.float32([[0, 2, 2], [3, 0, 2], [0, 2, 2]]))
    places = g("NonZero", table)
    flat = g("Unique", table, outputs=4)
    rows = g("Unique", table, outputs=4, axis=0)
    unsorted = g("Unique", g.int64(5, 3, 5, 1, 3), outputs=4, sorted=0)
    x = g.input(1)
    check(tools, g, [g("Add", g("Cast", y, to=1), x) for y in (places, *flat, *rows, *unsorted)])


def test_non_max_suppression_of_constants(tools):
    g = Graph()
    corners = g.rng.random((2, 20, 2)) * 10
    boxes = g.weight(values=np.concatenate([corners, corners + g.rng.random((2, 20, 2)) * 5], -1).astype(np.float32))
    scores = g.weight(values=g.rng.random((2, 3, 20)).astype(np.float32))
    limits = [g.int64(6), g.weight(values=np.float32([0.3])), g.weight(values=np.float32([0.2]))]
    x = g.input(1)
    selected = [g("NonMaxSuppression", boxes, scores, *limits, center_point_box=center) for center in (0, 1)]
    check(tools, g, [g("Add", g("Cast", y, to=1), x) for y in selected])


@pytest.mark.parametrize("shape", [(7, 2, 4), (2, 9, 5), (4, 5, 3)])
def test_center_crop_pad(tools, shape):
    g = Graph()
    x = g.input(4, 5, 3)
    check(tools, g, (g("CenterCropPad", x, g.int64(*shape)), g("CenterCropPad", x, g.int64(shape[2]), axes=[-2])))


@pytest.mark.parametrize("mode", ["linear", "circular"])
def test_tensor_scatter(tools, mode):
    g = Graph(opset=24)
    cache, update = g.input(2, 3, 6, 5), g.input(2, 3, 2, 5)
    begins = np.array([1, 5 if mode == "circular" else 4])
    y = g("TensorScatter", cache, update, g.input(values=begins), mode=mode)
    wanted = g.feeds[cache].copy()
    for batch, begin in enumerate(begins):
        for step in range(2):
            wanted[batch, :, (begin + step) % 6] = g.feeds[update][batch, :, step]
    check(tools, g, y, wanted={y: wanted})


# --- forms of old opsets ----------------------------------------------------


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("opset", [2, 11, 19])
def test_pad_cuts_and_extends(tools, mode, opset):
    g = Graph(opset=max(opset, 7))
    amounts = [1, -1, 0, 2, 1, -2]
    x = g.input(4, 5, 6)
    if opset == 2:
        y = g("Pad", x, mode=mode, pads=amounts, value=1.5)
    else:
        y = g("Pad", x, g.int64(*amounts), g.weight(values=np.float32(1.5)), mode=mode)
    check(tools, g, y)


@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.float64, np.float16, np.uint8])
def test_movement_of_other_types(tools, dtype):
    g = Graph()
    x = g.input(values=elements(g, (2, 3, 4), dtype))
    turned = g("Transpose", x, perm=[2, 0, 1])
    wide = g("Tile", turned, g.int64(1, 2, 1))
    left, right = g("Split", wide, g.int64(1, 3), outputs=2, axis=0)
    joined = g("Concat", right, g("Expand", left, g.int64(2, 4, 3)), axis=0)
    y = g("Slice", joined, g.int64(-1, 0), g.int64(-99, 3), g.int64(1, 2), g.int64(-2, 2))
    check(tools, g, (y, g("Pad", x, g.int64(0, 1, 0, 0, 0, 2), mode="edge")))
