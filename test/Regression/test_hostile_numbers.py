"""Numbers of a small file that no model means: they once crashed the importer, made it list
2^31 places one by one, or wrapped around to extents that fitted."""

import shutil

import numpy as np
import pytest
from onnx import numpy_helper, save

from graphs import Graph

# What stands for an extent of the run among the importer's numbers.
SYMBOL = -(1 << 50)
MOST, LEAST = (1 << 63) - 1, -(1 << 63)


def refusal(tools, graph, output, *options):
    """The message, and that it took neither long nor much memory."""
    model = tools.folder / "m.onnx"
    save(graph.model(output, check=False), model)
    ran = tools.run("mhoc", model, "-o", tools.folder / "m.mho", "--target=ideal", *options, timeout=60)
    assert ran.code == 1, f"exited {ran.code}: {ran.err[-500:]}"
    assert ran.peak_mb < 2000
    return ran.err


def huge(graph, *shape):
    """An input that is only declared."""
    name = graph.input(*([1] * len(shape)))
    for dim, extent in zip(graph.inputs[-1].type.tensor_type.shape.dim, shape, strict=True):
        dim.dim_value = extent
    return name


# --- constants that equal the symbol of a run-time extent were taken for one ----------


def ranged(graph):
    bounds = [graph.weight(values=np.array(value, np.int64)) for value in (SYMBOL, 0, 1)]
    return graph("Range", *bounds)


SYMBOLS = {
    "reshape": lambda g: g("Reshape", g.input(2, 3), g.int64(SYMBOL)),
    "expand": lambda g: g("Expand", g.input(1, 1), g.int64(SYMBOL, SYMBOL)),
    "tile": lambda g: g("Tile", g.input(2, 3), g.int64(SYMBOL, SYMBOL)),
    "pad": lambda g: g("Pad", g.input(2, 3), g.int64(SYMBOL, SYMBOL, SYMBOL, SYMBOL)),
    "slice": lambda g: g("Slice", g.input(2, 3), g.int64(SYMBOL), g.int64(SYMBOL), g.int64(0)),
    "fill": lambda g: g("ConstantOfShape", g.int64(SYMBOL, SYMBOL)),
    "range": ranged,
    "attribute": lambda g: g("Conv", g.input(1, 1, 5, 5), g.weight(1, 1, 3, 3), pads=[SYMBOL] * 4),
}


@pytest.mark.parametrize("kind", SYMBOLS)
def test_a_constant_is_no_run_time_extent(tools, kind):
    graph = Graph()
    assert str(SYMBOL) in refusal(tools, graph, SYMBOLS[kind](graph))


def test_a_constant_is_not_the_extent_of_its_number(tools):
    """With an extent n of the run, x + SYMBOL was x + n."""
    graph = Graph()
    x = graph.input(3, 1, declared=["n", 1])
    shape = graph("Add", graph("Shape", x), graph.int64(SYMBOL, 0))
    refusal(tools, graph, graph("Reshape", x, shape), "--shape=n=1..5")


# --- tables as long as an axis that is only declared ----------------------------------

LONG = 1 << 31


def split_to_elements(graph):
    return graph("SequenceAt", graph("SplitToSequence", huge(graph, LONG)), graph.weight(values=np.array(0, np.int64)))


def recurring_fourier(graph):
    return graph("DFT", huge(graph, 1, LONG - 1, 1), axis=1)


TABLES = {
    "triangle": lambda g: g("Trilu", huge(g, 3, LONG)),
    "one hot": lambda g: g(
        "OneHot", g.input(values=np.zeros(2, np.int64)), g.int64(LONG - 1), g.weight(values=np.zeros(2, np.float32))
    ),
    "diagonal": lambda g: g("EyeLike", huge(g, LONG, 3)),
    "window": lambda g: g("HannWindow", g.weight(values=np.array(LONG - 1, np.int64))),
    "resized": lambda g: g("Resize", huge(g, 1, 1, 1 << 29), "", g.weight(values=np.float32([1, 1, 3])), mode="linear"),
    "elements": split_to_elements,
    "fourier": recurring_fourier,
    "affine": lambda g: g("AffineGrid", g.input(1, 2, 3), g.int64(1, 1, 1 << 16, 1 << 16)),
    "loss": lambda g: g("NegativeLogLikelihoodLoss", huge(g, 1, LONG), g.input(values=np.zeros(1, np.int64))),
}


@pytest.mark.parametrize("kind", TABLES)
def test_no_table_as_long_as_a_declared_axis(tools, kind):
    graph = Graph(opset=20 if kind == "affine" else 18)
    assert "not supported" in refusal(tools, graph, TABLES[kind](graph))


# --- products and sums that left 64 bits ---------------------------------------------


def deformed(graph):
    """Offset groups whose product with the kernel is 2^64."""
    offset = graph.input(1, 4, 2, 2)
    return graph("DeformConv", graph.input(1, 1, 3, 3), graph.weight(1, 1, 2, 2), offset, offset_group=1 << 62)


WRAPPED = {
    "groups": lambda g: g("Conv", g.input(1, 1, 5, 5), g.weight(1, 2, 3, 3), group=(1 << 63) - 1),
    "blocks": lambda g: g("Col2Im", g.input(1, 4, 4), g.int64(3, 3, 3), g.int64(*[1 << 22] * 3)),
    "image": lambda g: g("Col2Im", g.input(1, 4, 4), g.int64(MOST, MOST), g.int64(2, 2)),
    "offsets": deformed,
    "scale": lambda g: g("Resize", huge(g, 1 << 37), "", g.weight(values=np.float32([1 << 29]))),
    "grid": lambda g: g("AffineGrid", g.input(1, 3, 4), g.int64(1, 1, *[LONG - 1] * 3)),
    "strides": lambda g: g("Slice", g.input(2, 3), g.int64(LEAST), g.int64(MOST), g.int64(0), g.int64(LEAST)),
    "empty": lambda g: g("Transpose", huge(g, 0, 1 << 62, 1 << 62), perm=[2, 1, 0]),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_arithmetic_on_hostile_numbers(tools, kind):
    graph = Graph(opset=20 if kind == "grid" else 19)
    save(graph.model(WRAPPED[kind](graph), check=False), tools.folder / "m.onnx")
    ran = tools.run("mhoc", tools.folder / "m.onnx", "-o", tools.folder / "m.mho", "--target=ideal", timeout=60)
    # A slice may be clamped to what is there; a crash is neither.
    assert ran.code == (0 if kind == "strides" else 1), ran.err[-500:]


def test_scalar_tables_of_a_rotary_embedding(tools):
    """The shape of a scalar table was read from before its begin."""
    graph = Graph(opset=23)
    positions = graph.input(values=np.zeros((2, 3), np.int64))
    table = graph.weight(values=np.float32(1))
    y = graph("RotaryEmbedding", graph.input(2, 4, 3, 8), table, table, positions)
    assert "scalar" in refusal(tools, graph, y)


# --- numbers that doubles do not hold ------------------------------------------------


@pytest.mark.parametrize("start", [(1 << 53) + 1, MOST - 2, LEAST])
def test_a_range_of_large_integers(tools, start):
    """They were computed as doubles, and the largest as none."""
    graph = Graph()
    bounds = [graph.weight(values=np.array(value, np.int64)) for value in (start, start + 2, 1)]
    y = graph("Add", graph("Range", *bounds), graph.input(values=np.zeros(2, np.int64)))
    got = tools.execute(tools.compile(graph.model(y), target="ideal"), graph.feeds, "--ideal")
    np.testing.assert_array_equal(got[y], np.array([start, start + 1], np.int64))


@pytest.mark.parametrize("start, limit, step", [(7, -8, -3), (-5, 6, 4), (3, 3, 1), (3, 9, -1), (-9, -9, -2)])
def test_a_range_of_integers(tools, start, limit, step):
    graph = Graph()
    bounds = [graph.weight(values=np.array(value, np.int64)) for value in (start, limit, step)]
    y = graph("Concat", graph("Range", *bounds), graph.input(values=np.zeros(2, np.int64)), axis=0)
    got = tools.execute(tools.compile(graph.model(y), target="ideal"), graph.feeds, "--ideal")
    np.testing.assert_array_equal(got[y], [*range(start, limit, step), 0, 0])


def test_constants_that_no_disk_holds(tools):
    """A number repeated 2^38 times was written until the disk was full."""
    count = 1 << 38
    if shutil.disk_usage(tools.folder).free > 8 * count:
        pytest.skip("the disk has room for it")
    graph = Graph()
    value = numpy_helper.from_array(np.array([3], np.int64))
    message = refusal(tools, graph, graph("ConstantOfShape", graph.int64(count), value=value))
    assert "m.mho" in message and "the disk has room for" in message
    assert not (tools.folder / "m.mho").exists()
