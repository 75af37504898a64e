"""Programs and what running one gives.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from . import _mho
from ._arrays import all_to_native, dtype_of, from_native
from ._mho import ProgramError

ProgramError.__module__ = "mho"


@dataclass(frozen=True)
class Value:
    """An input or output of a program."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Metric:
    """A figure of a run over its instances: mean, sample standard deviation and half of the mean's 95 % interval."""

    value: float
    std: float
    ci95: float | None
    values: tuple[float, ...] = field(repr=False, default=())

    def __float__(self) -> float:
        return self.value


class Report(dict):
    """A run's report with the keys of mho-run's JSON; notebooks show its figures as tables."""

    def __init__(self, keys: dict, summary: str):
        super().__init__(keys)
        self.summary = summary

    def _repr_html_(self) -> str:
        def row(*cells) -> str:
            return "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>"

        figures = [
            ("model", self["model"]),
            ("target", self["target"]),
            ("arrays", f"{self['arrays']['used']} of {self['arrays']['available'] or 'as many as needed'}"),
            ("latency", f"{self['latency_s']:.4g} s"),
            ("throughput", f"{self['throughput_per_s']:.4g} /s"),
            ("energy", f"{self['energy_j']['total']:.4g} J"),
        ]
        figures += [(name, f"{metric['value']:.6g}") for name, metric in self["metrics"].items()]
        layers = [
            (layer["node"], layer["op"], layer["unit_kind"], layer["arrays"], f"{layer['latency_s']:.3g}")
            + (f"{layer['energy_j']['total']:.3g}",)
            for layer in self["layers"]
        ]
        head = row("node", "operator", "unit", "arrays", "latency s", "energy J")
        return (
            f"<table>{''.join(row(*figure) for figure in figures)}</table>"
            f"<details><summary>{len(layers)} layers</summary>"
            f"<table>{head}{''.join(row(*layer) for layer in layers)}</table></details>"
        )


class Result:
    """What a run gives: outputs by name, metrics by name, notes, and the report."""

    def __init__(self, program: _mho.Program, outcome: _mho.RunOutcome):
        self._program, self._outcome = program, outcome
        self.outputs: dict[str, np.ndarray] = {name: from_native(*array) for name, array in outcome.take_outputs()}
        self.notes: list[str] = list(outcome.notes)

    @cached_property
    def report(self) -> Report:
        """Latency, energy, arrays and more; found by the timeline when first asked for."""
        return Report(json.loads(self._program.report(self._outcome)), self._program.summary(self._outcome))

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        return {
            name: Metric(mean, deviation, interval if len(values) > 1 else None, tuple(values))
            for name, mean, deviation, interval, values in self._outcome.metrics
        }

    def __repr__(self) -> str:
        outputs = ", ".join(f"{name}: {array.dtype}{list(array.shape)}" for name, array in self.outputs.items())
        return f"<mho.Result {outputs}>"


class Program:
    """A compiled model, ready to run. Made by mho.compile and mho.load."""

    def __init__(self, native: _mho.Program, notes: list[str], text: Callable[[str], str] | None):
        self._native, self._text = native, text
        self.notes = notes

    @property
    def target(self) -> str:
        return self._native.target

    @property
    def inputs(self) -> list[Value]:
        return [Value(name, dtype_of(kind), tuple(shape)) for name, kind, shape in self._native.inputs]

    @property
    def outputs(self) -> list[Value]:
        return [Value(name, dtype_of(kind), tuple(shape)) for name, kind, shape in self._native.outputs]

    def run(
        self,
        inputs: Mapping,
        *,
        ideal: bool = False,
        noise: str | Sequence[str] = "all",
        time: str | float | None = None,
        temperature: str | float | None = None,
        compensation: str | None = None,
        seed: int = 0,
        instances: int | None = None,
        threads: int = 0,
        states: Mapping[str, str] | None = None,
        metrics: Sequence[str] = (),
    ) -> Result:
        """Runs the program on arrays named by its inputs, laid out as for mho-run.

        ideal         arrays compute exactly, converters are off
        noise         effects that are on: "all", "none", or names; a leading "-" removes one
        time          between programming and inference: "25s", "1h", "30d", or seconds
        temperature   "40C", or degrees Celsius
        compensation  of drift: "none", "global", "column" or "reference"
        seed          of every random draw
        instances     that many separately programmed chips; outputs get a leading axis
        threads       0: all cores; results do not depend on it
        states        {input: output}: the output of a run is the next run's input
        metrics       "accuracy:labels", "mse:KEY", "perplexity:KEY", where the array is one of `inputs`

        Raises ProgramError with the text that mho-run prints.
        """
        effects = noise if isinstance(noise, str) else ",".join(noise)
        outcome = self._native.run(
            all_to_native(inputs),
            "none" if ideal else effects,
            seed,
            None if time is None else str(time),
            None if temperature is None else str(temperature),
            compensation,
            instances,
            threads,
            list((states or {}).items()),
            list(metrics),
        )
        return Result(self._native, outcome)

    def save(self, path: str | os.PathLike) -> None:
        """Writes the program as a .mho file."""
        self._native.save(os.fspath(path))

    def ir(self, phase: str) -> str:
        """The IR of phase "graph", "analog", "placed" or "tile" as text, without weight data."""
        if self._text is None:
            raise ProgramError("a loaded program has no IR but its instructions: see disassemble()")
        return self._text(phase)

    def disassemble(self) -> str:
        """The program's instructions as text."""
        return self._native.disassemble()

    def __repr__(self) -> str:
        def names(values) -> str:
            return ", ".join(value.name for value in values)

        return f"<mho.Program for {self.target}: {names(self.inputs)} -> {names(self.outputs)}>"


def load(path: str | os.PathLike) -> Program:
    """Reads a .mho file."""
    native = _mho.load(os.fspath(path))
    return Program(native, list(native.notes), None)
