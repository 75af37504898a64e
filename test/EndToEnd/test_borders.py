"""Pad in modes reflect, edge and wrap: random shapes and pads, also negative and longer than the axis, against numpy."""

import numpy as np
import pytest

from graphs import Graph


def cut_and_padded(x, low, high, mode):
    """Negative pads cut; what is left is what borders show."""
    cut = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, a, b in zip(x.shape, low, high, strict=True))]
    return np.pad(cut, [(max(a, 0), max(b, 0)) for a, b in zip(low, high, strict=True)], mode=mode)


def random_pads(rng, shape, least):
    """Pads that leave something of every axis; one side of one axis has none."""
    pads = rng.integers(least, 7, (2, len(shape)))
    pads.flat[rng.integers(pads.size)] = 0
    for axis, extent in enumerate(shape):
        if extent + np.minimum(pads[:, axis], 0).sum() < 1:
            pads[:, axis] = 0
    return pads


@pytest.mark.parametrize("least", [0, -1])
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
@pytest.mark.parametrize("mode", ["reflect", "edge", "wrap"])
def test_equals_numpy(tools, mode, rank, least):
    graph = Graph(rank - 10 * least)
    shape = tuple(int(n) for n in graph.rng.integers(1, 6, rank))
    low, high = random_pads(graph.rng, shape, least)
    x = graph.input(*shape)
    y = graph("Pad", x, graph.int64(*map(int, [*low, *high])), mode=mode)
    program = tools.compile(graph.model(y), target="ideal")
    got = tools.execute(program, graph.feeds, "--ideal")[y]
    np.testing.assert_array_equal(got, cut_and_padded(graph.feeds[x], low, high, mode))


@pytest.mark.parametrize("mode", ["reflect", "edge", "wrap"])
def test_image(tools, mode):
    """Between a convolution's channels-last images, and as wide as a border of one copy can be."""
    graph = Graph(3)
    x = graph.input(1, 3, 9, 7)
    y = graph("Conv", x, graph.weight(4, 3, 3, 3), pads=[1] * 4)
    z = graph("Pad", y, graph.int64(0, 0, 8, 2, 0, 0, 1, 6), mode=mode)
    model = graph.model(y, z)
    got = tools.execute(tools.compile(model, target="ideal"), graph.feeds, "--ideal")
    np.testing.assert_array_equal(got[z], np.pad(got[y], [(0, 0), (0, 0), (8, 1), (2, 6)], mode=mode))
