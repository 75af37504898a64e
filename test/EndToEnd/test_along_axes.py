"""Reductions, scans and normalizations of odd shapes and several opsets, against
ONNX Runtime or ONNX's evaluator."""

import numpy as np
import onnx
import pytest
from oracle import check

from graphs import Graph

REDUCTIONS = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2"]
REDUCTIONS += ["ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"]


def reduction(graph, kind, x, axes, **attributes):
    """The axes as an attribute or as an input, as the opset has them."""
    as_input = graph.opset >= 18 or (kind == "ReduceSum" and graph.opset >= 13)
    if axes is None:
        return graph(kind, x, **attributes)
    if as_input:
        return graph(kind, x, graph.int64(*axes), **attributes)
    return graph(kind, x, axes=axes, **attributes)


@pytest.mark.parametrize("opset", [9, 13, 18])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_reductions(tools, opset, dtype):
    graph = Graph(opset, opset=opset)
    x = graph.input(values=(np.abs(graph.random(3, 5, 7)) + 0.1).astype(dtype))
    outputs = []
    for kind in REDUCTIONS:
        outputs += [
            reduction(graph, kind, x, [1]),
            reduction(graph, kind, x, [0, 2], keepdims=0),
            reduction(graph, kind, x, None),
        ]
        if opset >= 11:
            outputs.append(reduction(graph, kind, x, [-1], keepdims=0))
    check(tools, graph, *outputs, rtol=2e-5, runtime=False)


def test_reductions_of_halves(tools):
    graph = Graph(7, opset=18)
    x = graph.input(values=(np.abs(graph.random(3, 5, 7)) + 0.1).astype(np.float16))
    outputs = [reduction(graph, kind, x, [2, 0]) for kind in REDUCTIONS if kind != "ReduceProd"]
    check(tools, graph, *outputs, rtol=3e-3, runtime=False)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, np.int8])
def test_reductions_of_integers(tools, dtype):
    graph = Graph(8, opset=20)
    x = graph.input(values=graph.rng.integers(0, 100, (4, 3, 5)).astype(dtype))
    kinds = ["ReduceMax", "ReduceMin"]
    if dtype in (np.int32, np.int64):
        kinds += ["ReduceSum", "ReduceProd", "ReduceSumSquare", "ReduceL1"]
    check(tools, graph, *[reduction(graph, kind, x, [1]) for kind in kinds])


def test_reductions_of_bools(tools):
    graph = Graph(9, opset=20)
    x = graph.input(values=graph.rng.random((5, 3)) < 0.5)
    check(tools, graph, *[reduction(graph, kind, x, [1]) for kind in ("ReduceMax", "ReduceMin")])


@pytest.mark.parametrize("kind", REDUCTIONS)
def test_empty_reductions(tools, kind):
    """What no element gives: the neutral one, an infinity, or NaN."""
    graph = Graph(opset=18)
    x = graph.input(values=np.zeros((2, 0, 3), np.float32))
    y = reduction(graph, kind, x, [1], keepdims=0)
    inf, nan = np.inf, np.nan
    wanted = dict(ReduceMean=nan, ReduceMax=-inf, ReduceMin=inf, ReduceProd=1, ReduceLogSum=-inf, ReduceLogSumExp=-inf)
    got = tools.execute(tools.compile(graph.model(y), target="ideal"), graph.feeds, "--ideal")[y]
    np.testing.assert_array_equal(got, np.full((2, 3), wanted.get(kind, 0), np.float32))


@pytest.mark.parametrize("kind", REDUCTIONS)
def test_no_axes_may_mean_none(tools, kind):
    graph = Graph(opset=18)
    x = graph.input(values=np.abs(graph.random(3, 4)) + 0.5)
    check(tools, graph, graph(kind, x, noop_with_empty_axes=1), graph(kind, x), rtol=2e-5, runtime=False)


def test_sums_of_powers_of_infinities(tools):
    graph = Graph(opset=18)
    x = np.float32([[-np.inf, -np.inf], [np.inf, 1], [1000, 1001], [-1000, -1002]])
    y = graph("ReduceLogSumExp", graph.input(values=x), graph.int64(1), keepdims=0)
    got = tools.execute(tools.compile(graph.model(y), target="ideal"), graph.feeds, "--ideal")[y]
    np.testing.assert_allclose(got, [-np.inf, np.inf, 1001.3133, -999.87305], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8, np.float16])
@pytest.mark.parametrize("kind", ["ArgMax", "ArgMin"])
def test_places(tools, kind, dtype):
    """Few distinct values, so that there are ties."""
    graph = Graph(5, opset=13)
    x = graph.input(values=graph.rng.integers(0, 4, (3, 6, 5)).astype(dtype))
    outputs = [graph(kind, x, axis=axis, keepdims=axis % 2) for axis in (0, 1, -1)]
    outputs += [graph(kind, x, axis=1, select_last_index=1)]
    check(tools, graph, *outputs, runtime=False)


def test_place_of_nan_and_of_infinities(tools):
    graph = Graph(opset=13)
    x = graph.input(values=np.float32([[1, np.nan, 3], [-np.inf, -np.inf, -np.inf], [np.inf, 2, np.inf]]))
    check(tools, graph, graph("ArgMax", x, axis=1), graph("ArgMin", x, axis=1), runtime=False)


@pytest.mark.parametrize("kind", ["CumSum", "CumProd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.float16])
def test_scans(tools, kind, dtype):
    graph = Graph(6, opset=26)
    x = graph.input(values=graph.rng.integers(-3, 4, (3, 6, 5)).astype(dtype))
    outputs = [
        graph(kind, x, graph.weight(values=np.array(axis, np.int64)), exclusive=exclusive, reverse=reverse)
        for axis in (0, 1, -1)
        for exclusive in (0, 1)
        for reverse in (0, 1)
    ]
    check(tools, graph, *outputs, rtol=1e-3 if dtype == np.float16 else 1e-6, runtime=False)


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Hardmax"])
@pytest.mark.parametrize("opset", [11, 13])
def test_softmaxes(tools, kind, opset):
    graph = Graph(7, opset=opset)
    x = graph.input(3, 4, 5)
    outputs = [graph(kind, x)] + [graph(kind, x, axis=axis) for axis in (0, 1, 2, -1)]
    check(tools, graph, *outputs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_normalizations(tools, dtype):
    graph = Graph(8, opset=22)
    x = graph.input(values=(graph.random(2, 6, 3, 5) + 0.5).astype(dtype))

    def parameter(*shape):
        return graph.weight(values=(graph.random(*shape) + 1).astype(dtype))

    outputs = [
        graph("LayerNormalization", x, parameter(5), parameter(5)),
        graph("LayerNormalization", x, parameter(3, 5), axis=2, epsilon=0.1),
        graph("InstanceNormalization", x, parameter(6), parameter(6)),
        graph("GroupNormalization", x, parameter(6), parameter(6), num_groups=3),
        graph("LpNormalization", x, axis=1, p=2),
        graph("GlobalLpPool", x),
    ]
    check(tools, graph, *outputs, rtol=1e-2 if dtype == np.float16 else 1e-5, atol=1e-2, runtime=dtype == np.float32)


def test_layer_normalization_tells_its_statistics(tools):
    graph = Graph(opset=17)
    outputs = graph("LayerNormalization", graph.input(3, 4, 5), graph.weight(4, 5), outputs=3, axis=1)
    check(tools, graph, *outputs)


def test_root_mean_square_normalization(tools):
    graph = Graph(opset=23)
    x = graph.input(2, 3, 7)
    outputs = [graph("RMSNormalization", x, graph.weight(7)), graph("RMSNormalization", x, graph.weight(3, 7), axis=1)]
    check(tools, graph, *outputs, runtime=False)


@pytest.mark.parametrize("kind", ["LayerNormalization", "Softmax"])
def test_few_kernels(tools, kind):
    graph = Graph(opset=17)
    x = graph.input(64, 128)
    y = graph(kind, x, graph.weight(128), graph.weight(128)) if kind != "Softmax" else graph(kind, x)
    onnx.save(graph.model(y), tools.folder / "m.onnx")
    text = tools.succeed("mhoc", "m.onnx", "--target=ideal", "--compile-to=tile", "-o", "-").out
    assert text.count("tile.kernel") <= (4 if kind == "Softmax" else 6)


def test_zero_vectors_stay_zero_when_normalized(tools):
    graph = Graph(opset=22)
    x = graph.input(values=np.float32([[0, 0], [3, 4]]))
    got = check(tools, graph, graph("LpNormalization", x, p=2), graph("LpNormalization", x, p=1), runtime=False)
    np.testing.assert_allclose(got["lpnormalization0"], [[0, 0], [0.6, 0.8]])


@pytest.mark.parametrize("axes", [None, [1], [0, 3]])
def test_mean_variance_normalization(tools, axes):
    """ONNX's own definition of it fails its shape inference, so NumPy tells."""
    graph = Graph(opset=13)
    x = graph.input(2, 6, 3, 5)
    y = graph("MeanVarianceNormalization", x, **({"axes": axes} if axes else {}))
    got = tools.execute(tools.compile(graph.model(y, check=False), target="ideal"), graph.feeds, "--ideal")[y]
    values, along = graph.feeds[x], tuple(axes or [0, 2, 3])
    wanted = (values - values.mean(along, keepdims=True)) / values.std(along, keepdims=True)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_local_response_normalization(tools, size):
    graph = Graph(size, opset=13)
    check(tools, graph, graph("LRN", graph.input(2, 7, 3, 4), size=size, alpha=0.3, beta=0.6, bias=1.5))


@pytest.mark.parametrize("opset", [7, 9, 14, 15])
def test_batch_normalization(tools, opset):
    graph = Graph(opset, opset=opset)
    statistics = [graph.weight(5), graph.weight(5), graph.weight(5)]
    x = graph.input(3, 5, 4)
    y = graph("BatchNormalization", x, *statistics, graph.weight(values=np.abs(graph.random(5)) + 0.3), epsilon=0.01)
    check(tools, graph, y)


def test_batch_normalization_in_training(tools):
    graph = Graph(opset=15)
    parameters = [graph.input(5), graph.input(5), graph.input(5), graph.input(values=np.abs(graph.random(5)))]
    outputs = graph("BatchNormalization", graph.input(3, 5, 4), *parameters, outputs=3, training_mode=1, momentum=0.7)
    check(tools, graph, *outputs)
