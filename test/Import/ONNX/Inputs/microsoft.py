"""Writes the small model called argv[1], with an operator of com.microsoft, to argv[2]."""

import sys

import numpy as np
from make import array, model, node, value
from onnx import TensorProto


def contrib(kind, inputs, outputs, name, inputs_of_graph, weights, **attributes):
    nodes = [node(kind, inputs, outputs, name, domain="com.microsoft", **attributes)]
    results = [value(output, None) for output in outputs if output]
    return model(nodes, inputs_of_graph, results, weights, domains=["com.microsoft"])


def attention():
    """Causal self-attention behind a past."""
    weights = [array("w", np.ones((7, 36))), array("b", np.arange(36))]
    inputs = [value("x", [2, 5, 7]), value("past", [2, 2, 3, 4, 4])]
    return contrib(
        "Attention",
        ["x", "w", "b", "", "past"],
        ["y", "present"],
        "attention",
        inputs,
        weights,
        num_heads=3,
        unidirectional=1,
    )


def experts(**attributes):
    weights = [array("w1", np.ones((5, 6, 7))), array("w2", np.ones((5, 7, 6)))]
    inputs = [value("x", [9, 7]), value("router", [9, 5])]
    return contrib("MoE", ["x", "router", "w1", "", "w2"], ["y"], "moe", inputs, weights, k=2, **attributes)


def sparse():
    return experts(use_sparse_mixer=1)


def ragged():
    """The total length comes at run time."""
    inputs = [value(name, [1, 4, 16]) for name in ("q", "k", "v")]
    inputs += [value("last", [1], TensorProto.INT32), value("total", [1], TensorProto.INT32)]
    return contrib(
        "GroupQueryAttention",
        ["q", "k", "v", "", "", "last", "total"],
        ["y", "keys", "values"],
        "shared",
        inputs,
        [],
        num_heads=2,
        kv_num_heads=1,
    )


if __name__ == "__main__":
    with open(sys.argv[2], "wb") as file:
        file.write(globals()[sys.argv[1]]().SerializeToString())
