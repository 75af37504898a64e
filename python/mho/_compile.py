"""mho.compile: a model becomes a program.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import _mho
from ._arrays import all_to_native
from ._program import Program

if TYPE_CHECKING:
    import onnx


class CompileError(Exception):
    """What is wrong with the model or the request, in the words of mhoc.

    `freeze` lists graph inputs whose values the compiler needs: give them as `constants`.
    """

    def __init__(self, message: str, freeze: tuple[str, ...] = ()):
        super().__init__(message)
        self.freeze = freeze


def _extents(value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (tuple, list)):
        return "x".join(str(extent) for extent in value)
    return str(int(value))


def compile(
    model: str | os.PathLike | onnx.ModelProto,
    *,
    target: str | os.PathLike = "hermes",
    shapes: Mapping[str, int | str | tuple[int, ...]] | None = None,
    constants: Mapping | None = None,
    calibrate: Mapping | None = None,
    read_mode: str = "",
    seed: int = 0,
    folder: str | os.PathLike = "",
) -> Program:
    """Compiles a model, given by its path or as an onnx.ModelProto.

    target     a built-in chip (see targets()) or the path of a chip file
    shapes     {input: its shape} or {symbol: extent}; "1..512" bounds a symbol
    constants  {input: value} freezes graph inputs
    calibrate  {input: samples} that input and ADC ranges are set from
    read_mode  one of the chip's read modes
    seed       of mapping searches
    folder     where a ModelProto's external data lies

    Raises CompileError with the text that mhoc prints.
    """
    shapes = [f"{name}={_extents(value)}" for name, value in (shapes or {}).items()]
    data = None
    if isinstance(model, (str, os.PathLike)):
        name = os.fspath(model)
    else:
        name, data = "model", model.SerializeToString()
    request = {
        "model": name,
        "bytes": data,
        "folder": os.fspath(folder),
        "target": os.fspath(target),
        "shapes": shapes,
        "constants": all_to_native(constants or {}),
        "calibrate": None if calibrate is None else all_to_native(calibrate),
        "read_mode": read_mode,
        "seed": seed,
    }
    made = _compile(request, "binary")
    return Program(made.take_program(), list(made.notes), lambda phase: _compile(request, phase).text)


def _compile(request: dict, phase: str) -> _mho.Compiled:
    made = _mho.compile(**request, phase=phase)
    if made.errors:
        raise CompileError("\n".join(made.errors), tuple(made.freeze))
    return made


def targets() -> dict[str, str]:
    """The built-in chips: what each is, and its capacity."""
    return {name: f"{description}; {capacity}" for name, description, capacity in _mho.targets()}
