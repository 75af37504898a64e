"""Writes small models of ONNX's operator tests to the folder argv[1]: the
smallest two of each operator."""

import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    # The tests compute what overflows on purpose.
    warnings.simplefilter("ignore")
    from onnx.backend.test.loader import load_model_tests

    tests = load_model_tests(kind="node")

by_operator = {}
for test in tests:
    text = test.model.SerializeToString()
    for operator in {(node.domain, node.op_type) for node in test.model.graph.node}:
        by_operator.setdefault(operator, []).append((len(text), test.name, text))
for models in by_operator.values():
    for _, name, text in sorted(models)[:2]:
        (Path(sys.argv[1]) / f"{name}.onnx").write_bytes(text)
