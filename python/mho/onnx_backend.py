"""ONNX's backend interface over mho: chip "ideal" with exact arrays, unless told otherwise.

    rep = mho.onnx_backend.prepare(model)
    outputs = rep.run([x])

A program has static shapes, so a model is compiled for the shapes it is run with. Inputs that steer shapes inside
the model (the target of a Reshape, say) are found from the compiler's own answer and frozen to the values they are
run with; every distinct value is compiled once and kept.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx.backend.base import Backend as OnnxBackend
from onnx.backend.base import BackendRep

import mho


class Prepared(BackendRep):
    """A model and the programs that were made of it."""

    def __init__(self, model: onnx.ModelProto, target: str = "ideal", folder: str = "", **settings):
        self._model, self._target, self._folder = model, target, folder
        self._settings = {"ideal": True, **settings}
        initialized = {tensor.name for tensor in model.graph.initializer}
        initialized |= {tensor.values.name for tensor in model.graph.sparse_initializer}
        self._inputs = [value for value in model.graph.input if value.name not in initialized]
        self._outputs = list(model.graph.output)
        self._steering: set[str] = set()
        self._programs: dict[tuple, mho.Program] = {}

    def run(self, inputs, **settings) -> tuple:
        """Runs the model on arrays in the order of its inputs, or by name. Sequences are lists of arrays, and None is
        an optional without an element."""
        values = self._by_name(inputs)
        shapes = {value.name: _form(values[value.name]) for value in self._inputs if _is_open(value, values)}
        arrays = dict(_flat(values))
        program = self._program(arrays, shapes)
        live = {value.name: arrays[value.name] for value in program.inputs}
        result = program.run(live, **{**self._settings, **settings})
        return tuple(_unflat(value, result.outputs) for value in self._outputs)

    def _by_name(self, inputs) -> dict[str, Any]:
        if isinstance(inputs, Mapping):
            return dict(inputs)
        if not isinstance(inputs, (list, tuple)):
            inputs = [inputs]
        if len(inputs) > len(self._inputs):
            raise ValueError(f"the model has {len(self._inputs)} inputs, found {len(inputs)}")
        return {value.name: given for value, given in zip(self._inputs, inputs, strict=False)}

    def _program(self, given: dict[str, np.ndarray], shapes: dict) -> mho.Program:
        signature = (
            tuple(shapes.items()),
            tuple((name, array.shape, array.dtype.str) for name, array in sorted(given.items())),
        )
        while True:
            frozen = {name: given[name] for name in sorted(self._steering)}
            key = (signature, tuple((name, array.tobytes()) for name, array in frozen.items()))
            if key in self._programs:
                return self._programs[key]
            try:
                program = mho.compile(
                    self._model,
                    target=self._target,
                    folder=self._folder,
                    shapes={name: shape for name, shape in shapes.items() if name not in frozen},
                    constants=frozen,
                )
            except mho.CompileError as error:
                wanted = {name for name in error.freeze if name in given} - self._steering
                if not wanted:
                    raise
                self._steering |= wanted
            else:
                self._programs[key] = program
                return program


def _is_open(value: onnx.ValueInfoProto, given: Mapping) -> bool:
    """Whether the model leaves open what an input that is given looks like."""
    if value.name not in given:
        return False
    if not value.type.HasField("tensor_type"):
        return True
    tensor = value.type.tensor_type
    return not tensor.HasField("shape") or any(not dim.HasField("dim_value") for dim in tensor.shape.dim)


def _form(value) -> str:
    """What --shape says of an input's value."""
    if value is None:
        return "none"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_form, value))}]"
    return "x".join(map(str, np.shape(value))) or "scalar"


def _flat(values: Mapping) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a program: elements of sequences are inputs of their own."""
    for name, value in values.items():
        if isinstance(value, (list, tuple)):
            yield from ((f"{name}[{i}]", np.asarray(element)) for i, element in enumerate(value))
        elif value is not None:
            yield name, np.asarray(value)


def _unflat(value: onnx.ValueInfoProto, outputs: Mapping):
    """An output of the model from those of the program."""
    if value.name in outputs:
        return outputs[value.name]
    elements = [
        outputs[f"{value.name}[{i}]"] for i in range(sum(name.startswith(f"{value.name}[") for name in outputs))
    ]
    optional = value.type.HasField("optional_type")
    return None if optional and not elements else elements


class Backend(OnnxBackend):
    """onnx.backend.base.Backend; `prepare` takes Prepared's keywords and those of mho.Program.run."""

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device.split(":")[0] == "CPU"

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs) -> Prepared:
        if not cls.supports_device(device):
            raise ValueError(f"expected device CPU, found '{device}'")
        return Prepared(model, **kwargs)

    @classmethod
    def run_model(cls, model: onnx.ModelProto, inputs, device: str = "CPU", **kwargs) -> tuple[np.ndarray, ...]:
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(
        cls, node: onnx.NodeProto, inputs, device: str = "CPU", outputs_info=None, *, opset_version=None, **kwargs
    ) -> tuple[np.ndarray, ...]:
        """Runs one node; `outputs_info` are the outputs' types and shapes where inference does not tell."""
        names = list(dict.fromkeys(name for name in node.input if name))
        arrays = [np.asarray(array) for array in inputs]
        values = [
            onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in zip(names, arrays, strict=True)
        ]
        wanted = [name for name in node.output if name]
        if outputs_info is None:
            results = [onnx.helper.make_empty_tensor_value_info(name) for name in wanted]
        else:
            results = [
                onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
                for name, (dtype, shape) in zip(wanted, outputs_info, strict=True)
            ]
        graph = onnx.helper.make_graph([node], "node", values, results)
        version = opset_version or onnx.defs.onnx_opset_version()
        imports = [onnx.helper.make_opsetid("", version)]
        if node.domain not in ("", "ai.onnx"):
            imports.append(onnx.helper.make_opsetid(node.domain, kwargs.pop("domain_version", 1)))
        model = onnx.helper.make_model(graph, opset_imports=imports)
        if outputs_info is None:
            inferred = onnx.shape_inference.infer_shapes(model)
            del model.graph.output[:]
            model.graph.output.extend(inferred.graph.output)
        return cls.run_model(model, arrays, device, **kwargs)


prepare = Backend.prepare
run_model = Backend.run_model
run_node = Backend.run_node
supports_device = Backend.supports_device
