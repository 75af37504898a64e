"""Writes the small arithmetic model called argv[1] to argv[2]."""

import sys

import numpy as np
import onnx
from make import array, model, node, value
from onnx import TensorProto


def activations():
    """Formulas, and the slope of a channel as it was before opset 7."""
    nodes = [
        node("Elu", ["x"], ["a"], "elu", alpha=0.5),
        node("PRelu", ["a", "slope"], ["b"], "prelu"),
        node("HardSigmoid", ["b"], ["y"], "hard"),
    ]
    return model(nodes, [value("x", [2, 3, 4])], [value("y", None)], [array("slope", [1, 2, 3])], opset=6)


def half():
    """A formula of halves: widened once, rounded once."""
    return model(
        [node("Softplus", ["x"], ["y"], "softplus")],
        [value("x", [5], TensorProto.FLOAT16)],
        [value("y", None, TensorProto.FLOAT16)],
        opset=22,
    )


def einsum():
    """A constant operand, on the left at that."""
    return model(
        [node("Einsum", ["w", "x"], ["y"], "heads", equation="dhk,bsd->bshk")],
        [value("x", [2, 3, 8])],
        [value("y", None)],
        [array("w", np.ones((8, 2, 4)))],
    )


def attention():
    """Query heads that share a key head."""
    inputs = [value("q", [1, 6, 5, 8]), value("k", [1, 2, 7, 8]), value("v", [1, 2, 7, 4])]
    return model([node("Attention", ["q", "k", "v"], ["y"], "att", is_causal=1)], inputs, [value("y", None)], opset=24)


def transform():
    return model([node("DFT", ["x"], ["y"], "dft", onesided=1)], [value("x", [2, 16, 1])], [value("y", None)], opset=20)


def draws():
    """A seed is one program, whatever draws it."""
    nodes = [
        node("RandomUniformLike", ["x"], ["a"], "draw", seed=1.0),
        node("Add", ["x", "a"], ["y"], "noisy"),
    ]
    return model(nodes, [value("x", [2, 2])], [value("y", None)])


def scan():
    nodes = [node("CumSum", ["x", "axis"], ["y"], "running", reverse=1)]
    inputs = [value("x", [2, 3]), value("axis", [], TensorProto.INT64)]
    return model(nodes, inputs, [value("y", None)])


def prime():
    """A length that has no factors and is too long for one product."""
    return model([node("DFT", ["x"], ["y"], "dft")], [value("x", [1, 5003, 1])], [value("y", None)], opset=20)


def integers():
    nodes = [node("Gemm", ["a", "b"], ["y"], "product", alpha=0.5)]
    inputs = [value(name, [3, 3], TensorProto.INT32) for name in "ab"]
    return model(nodes, inputs, [value("y", None, TensorProto.INT32)], opset=13)


def shift():
    inputs = [value(name, [3], TensorProto.UINT8) for name in "ab"]
    return model(
        [node("BitShift", ["a", "b"], ["y"], "bits", direction="UP")], inputs, [value("y", None, TensorProto.UINT8)]
    )


def letters():
    return model(
        [node("Einsum", ["a", "a"], ["y"], "sum", equation="ij,ij->k")], [value("a", [2, 3])], [value("y", [1])]
    )


onnx.save(globals()[sys.argv[1]](), sys.argv[2])
