"""Compares what a compiled model gives with ONNX Runtime or ONNX's own evaluator."""

import numpy as np
from onnx.reference import ReferenceEvaluator

from harness import reference


def check(tools, graph, *outputs, rtol=1e-5, atol=1e-6, runtime=True, target="ideal", options=()):
    """Compiles the model of `outputs` and compares each of them, types and NaNs included.

    `runtime`: ONNX Runtime says what is right; without it ONNX's evaluator does.
    """
    model = graph.model(*outputs)
    if runtime:
        wanted = reference(model, graph.feeds)
    else:
        names = [output.name for output in model.graph.output]
        wanted = dict(zip(names, ReferenceEvaluator(model).run(None, graph.feeds), strict=True))
    got = tools.execute(tools.compile(model, *options, target=target), graph.feeds, "--ideal")
    assert set(got) == set(wanted)
    for name, value in wanted.items():
        value = np.asarray(value)
        assert got[name].dtype == value.dtype, name
        assert got[name].shape == value.shape, name
        if value.dtype.kind == "f":
            wide = [np.asarray(array, np.float64) for array in (got[name], value)]
            np.testing.assert_allclose(*wide, rtol=rtol, atol=atol, equal_nan=True, err_msg=name)
        else:
            np.testing.assert_array_equal(got[name], value, err_msg=name)
    return got
