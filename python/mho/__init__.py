"""Compiles ONNX models for analog in-memory-computing chips and runs the compiled programs on a model of the chip.

    program = mho.compile("model.onnx", target="hermes", shapes={"batch": 1})
    result = program.run({"x": x}, time="1d", instances=5)
    result.outputs["y"], result.metrics, result.report

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from ._compile import CompileError, compile, targets
from ._program import Metric, Program, ProgramError, Report, Result, load

__all__ = ["CompileError", "Metric", "Program", "ProgramError", "Report", "Result", "compile", "load", "targets"]
