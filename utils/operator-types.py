#!/usr/bin/env python3
"""Tries every operator with every type that its schema allows, and writes test/Backend/types.txt.

    .venv/bin/python utils/operator-types.py [--build=build/release] [--table=FILE] [OPERATOR...]

An official test of the operator's node is taken (of ai.onnx.ml and com.microsoft, a model that one of our tests builds),
its first input's type variable is given each type in turn (with it all inputs, weights and outputs of that variable), and
the model is compiled and run. A type works where that gives outputs of the types that ONNX's inference or the schema
tells, with the values of ONNX Runtime (contributed operators) or onnx.reference where these have some; else the line
holds the reason. Types of which no form of a test can be made are untried: so are those in which neither mho nor the
others run a contributed operator, as its attributes may fix the type. Without operators all are tried; with some, only
their lines are written anew. docs/Operators.md shows the result.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import argparse
import json
import multiprocessing
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "test" / "Backend"), str(ROOT / "test")]

import recorded  # noqa: E402

import official  # noqa: E402

TYPES = ROOT / "test" / "Backend" / "types.txt"
SECONDS = 60

# Operators on sequences, whose first operand has no element type of its own.
NO_TENSORS = ["SequenceInsert", "SequenceMap"]


@dataclass
class Case:
    """A model of one node with its inputs, in the order of the graph's."""

    model: object
    inputs: list
    is_official: bool


@dataclass
class Schema:
    """Type variables (or types) of an operator's operands, and the types that each variable may be."""

    inputs: list[str]
    outputs: list[str]
    allowed: dict[str, list[str]]


def node_tests() -> dict[str, list[Case]]:
    """Official tests of one node each, by operator; those that pass, small ones first."""
    passes = set(official.read_passes())
    found: dict[str, list] = {}
    for name, test in sorted(official.load_tests().items()):
        if test.kind != "node" or "_expanded" in name or name not in passes or len(test.model.graph.node) != 1:
            continue
        node = test.model.graph.node[0]
        if node.domain not in recorded.DOMAINS:
            domain = node.domain.removeprefix("ai.onnx").lstrip(".")
            found.setdefault(f"ai.onnx.{domain}.{node.op_type}" if domain else node.op_type, []).append(test)
    return {
        kind: [
            Case(test.model, list(next(official.data_sets(test, test.model))[0]), True)
            for test in sorted(tests, key=lambda test: test.model.ByteSize())[:4]
        ]
        for kind, tests in found.items()
    }


def contributed_tests() -> dict[str, list[Case]]:
    """Models of one contributed operator each, by "domain.Operator"."""
    return {
        kind: [Case(model, [feeds[value.name] for value in model.graph.input], False) for model, feeds in pairs]
        for kind, pairs in recorded.record().items()
    }


def schema_of(kind: str) -> Schema:
    """ONNX's schema, or ONNX Runtime's of a contributed operator."""
    import onnx

    domain, _, name = kind.rpartition(".")
    if domain != "com.microsoft":
        of = onnx.defs.get_schema(name, domain=domain)
        texts = [[parameter.type_str for parameter in side] for side in (of.inputs, of.outputs)]
    else:
        from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

        home = "" if name in recorded.ELSEWHERE else domain
        of = next(of for of in get_all_operator_schema() if (of.domain, of.name) == (home, name))
        texts = [[parameter.typeStr for parameter in side] for side in (of.inputs, of.outputs)]
    return Schema(*texts, {entry.type_param_str: list(entry.allowed_type_strs) for entry in of.type_constraints})


def formal(parameters: list[str], i: int) -> str:
    """The type of the parameter that operand `i` stands for; the last may take several."""
    return parameters[min(i, len(parameters) - 1)]


def in_type(number, kind: int):
    """The array in another element type; of unsigned ones its magnitudes."""
    import numpy as np
    import onnx
    from onnx import helper

    unsigned = [onnx.TensorProto.DataType.Value(f"UINT{bits}") for bits in (2, 4, 8, 16, 32, 64)]
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    if number.dtype == dtype:
        return number
    if number.dtype != bool:
        number = number.astype(np.float64)
    return (np.abs(number.astype(np.float64)) if kind in unsigned else number).astype(dtype)


def retyped(case: Case, schema: Schema, variable: str, kind: int):
    """The case's model and inputs with another type in place of `variable`; None where an operand is no tensor."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    node, graph = model.graph.node[0], model.graph
    inputs = [np.asarray(value) for value in case.inputs]
    of = {name: formal(schema.inputs, i) for i, name in enumerate(node.input)}
    of |= {name: formal(schema.outputs, i) for i, name in enumerate(node.output)}
    for place, value in enumerate(graph.input):
        if not value.type.HasField("tensor_type"):
            return None
        if of.get(value.name) == variable:
            value.type.tensor_type.elem_type = kind
            inputs[place] = in_type(inputs[place], kind)
    for weight in graph.initializer:
        if of.get(weight.name) == variable:
            weight.CopyFrom(numpy_helper.from_array(in_type(numpy_helper.to_array(weight), kind), weight.name))
    if not case.is_official:
        # Tensors among the attributes hold values to compare with, or the like.
        old = helper.np_dtype_to_tensor_dtype(case.inputs[0].dtype)
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_type == old:
                attribute.t.CopyFrom(numpy_helper.from_array(in_type(numpy_helper.to_array(attribute.t), kind)))
        # A float variable that no operand binds (of a cache that is not there yet) follows.
        floats = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
        bound = {of[name] for name in node.input if name and of[name] != variable}
        for value in graph.output:
            follows = kind in floats and of[value.name] not in bound and value.type.tensor_type.elem_type == old
            if of[value.name] == variable or follows and of[value.name] in schema.allowed:
                value.type.tensor_type.elem_type = kind
        return model, inputs
    # What ONNX infers is what is expected.
    del graph.output[:]
    graph.output.extend(helper.make_empty_tensor_value_info(name) for name in node.output if name)
    try:
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except onnx.shape_inference.InferenceError:
        # Of some operators with a body the inference is at fault, not the model; outputs of the variable are of its type.
        if any(formal(schema.outputs, i) != variable for i in range(len(node.output))):
            return None
        inferred = onnx.ModelProto()
        inferred.CopyFrom(case.model)
        for value in inferred.graph.output:
            value.type.tensor_type.elem_type = kind
    del graph.output[:]
    graph.output.extend(inferred.graph.output)
    return model, inputs


def referred(model, inputs: list) -> list | None:
    """What ONNX's own reference gives; None where it cannot, or gives other types than it says."""
    import numpy as np
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    try:
        names = [value.name for value in model.graph.input]
        outputs = ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))
    except Exception:
        return None
    kinds = [value.type for value in model.graph.output]
    if all(
        isinstance(output, list) or np.asarray(output).dtype == helper.tensor_dtype_to_np_dtype(element_type(kind))
        for output, kind in zip(outputs, kinds, strict=True)
    ):
        return outputs
    return None


def by_onnx_runtime(model, inputs: list) -> list | None:
    """What ONNX Runtime gives; None where it has no kernel."""
    import harness

    try:
        names = [value.name for value in model.graph.input]
        return list(harness.reference(model, dict(zip(names, inputs, strict=True))).values())
    except Exception:
        return None


def in_float32(case: Case, inputs: list, schema: Schema, variable: str, kind: int) -> list | None:
    """What ONNX Runtime gives on the same numbers as float32, put into the type again; None where it cannot."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    narrow = retyped(case, schema, variable, kind)[0]
    model, wide = retyped(case, schema, variable, TensorProto.FLOAT)
    rounded = {weight.name: numpy_helper.to_array(weight) for weight in narrow.graph.initializer}
    for weight in model.graph.initializer:
        of = numpy_helper.to_array(weight).dtype
        weight.CopyFrom(numpy_helper.from_array(rounded[weight.name].astype(of), weight.name))
    wide = [np.asarray(value).astype(other.dtype) for value, other in zip(inputs, wide, strict=True)]
    outputs = by_onnx_runtime(model, wide)
    if outputs is None:
        return None
    kinds = [value.type.tensor_type.elem_type for value in narrow.graph.output]
    return [in_type(np.asarray(value), of) for value, of in zip(outputs, kinds, strict=True)]


def element_type(kind) -> int:
    """Of tensors, also in sequences and optionals."""
    for wrapper in ("optional_type", "sequence_type"):
        if kind.HasField(wrapper):
            return element_type(getattr(kind, wrapper).elem_type)
    return kind.tensor_type.elem_type


def step_of(value) -> float:
    """What lies between 1 and the next number of a float type; 0 for others."""
    import ml_dtypes
    import numpy as np

    try:
        return float(ml_dtypes.finfo(np.asarray(value).dtype).eps)
    except ValueError:
        return 0.0


def is_close(one, other, step: float, integers: int) -> bool:
    """Whether values agree to some steps of the coarsest type; booleans are equal, integers to `integers`."""
    import numpy as np

    other = np.asarray(other)
    if one.shape != other.shape:
        return False
    if one.dtype == bool or np.issubdtype(one.dtype, np.integer) or one.dtype.name.lstrip("u").startswith("int"):
        return bool(np.all(np.abs(one.astype(np.int64) - other.astype(np.int64)) <= integers))
    return np.allclose(
        one.astype(np.float64),
        other.astype(np.float64),
        rtol=max(4 * step, 1e-4),
        atol=max(4 * step, 1e-5),
        equal_nan=True,
    )


def attempt(case: Case, schema: Schema, variable: str, kind: int) -> str | None:
    """None where it works, else the reason in a few words; "-" where the form cannot be made."""
    from onnx import TensorProto, helper

    import mho.onnx_backend

    try:
        made = retyped(case, schema, variable, kind)
    except Exception:
        return "-"
    if made is None:
        return "-"
    model, inputs = made
    expected = None
    if not case.is_official:
        expected = by_onnx_runtime(model, inputs)
    if expected is None:
        expected = referred(model, inputs)
    try:
        outputs = mho.onnx_backend.prepare(model, threads=1).run(inputs)
    except Exception as error:
        is_meant = case.is_official or expected is not None
        return re.sub(r"\s+", " ", official.words(error)) if is_meant else "-"
    floats = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
    if expected is None and not case.is_official and kind in floats:
        expected = in_float32(case, inputs, schema, variable, kind)
    step = max(map(step_of, [*inputs, *outputs]))
    for value, output, tensor in zip(model.graph.output, outputs, expected or outputs, strict=True):
        wanted = helper.tensor_dtype_to_np_dtype(element_type(value.type))
        of_sequence = isinstance(output, list)
        for one, other in zip(output, tensor, strict=True) if of_sequence else [(output, tensor)]:
            if one.dtype != wanted:
                return f"gives {one.dtype} for {wanted}"
            # Contributed operators put sums of floats into bytes, which order rounds to one or the other neighbour.
            integers = 0 if case.is_official or one.dtype.itemsize > 2 else 1
            if not is_close(one, other, step, integers):
                return f"gives other values than {'onnx.reference' if case.is_official else 'ONNX Runtime'}"
    return None


def try_operator(kind: str, cases: list[Case], answers) -> None:
    """Puts [type, reason] for each type of the operator's first variable."""
    import onnx
    from onnx import helper

    schema = schema_of(kind)
    if not schema.inputs:
        return
    variable = schema.inputs[0]
    for text in sorted(schema.allowed.get(variable, [variable])):
        name = re.fullmatch(r"tensor\((\w+)\)", text)
        if not name or name[1] == "string" or name[1].startswith("complex"):
            continue
        element = {"double": "DOUBLE", "float": "FLOAT"}.get(name[1], name[1].upper())
        number = onnx.TensorProto.DataType.Value(element)
        # The newest form of a test that can be made with this type.
        reasons = [attempt(case, schema, variable, number) for case in cases]
        made = [reason for reason in reasons if reason != "-"]
        outcome = "-" if not made else None if None in made else made[0]
        answers.put([helper.tensor_dtype_to_string(number).removeprefix("TensorProto.").lower(), outcome])


def isolated(kind: str, cases: list[Case]) -> list:
    """The answers of a process of its own: a crash is one operator's."""
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=try_operator, args=(kind, cases, queue))
    process.start()
    answers = []
    while process.is_alive() or not queue.empty():
        try:
            answers.append(queue.get(timeout=0.2))
        except Exception:
            continue
    process.join(SECONDS)
    if process.exitcode:
        answers.append(["?", f"crashes (exit {process.exitcode})"])
    return answers


def read(table: Path = TYPES) -> dict[str, dict]:
    """Types of each operator, and the reasons of those that do not work."""
    if not table.exists():
        return {}
    return {kind: json.loads(rest) for kind, rest in (line.split(": ", 1) for line in table.read_text().splitlines())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("operators", nargs="*", metavar="OPERATOR")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="folder of the build")
    parser.add_argument("--table", type=Path, default=TYPES, help="the file to write")
    options = parser.parse_args()
    sys.path.insert(0, str(options.build.resolve() / "python"))
    import mho.onnx_backend  # noqa: F401 (loaded once, before the processes)

    lines = read(options.table)
    for kind, cases in sorted((node_tests() | contributed_tests()).items()):
        if options.operators and kind not in options.operators:
            continue
        answers = isolated(kind, cases)
        if answers:
            lines[kind] = {
                "works": [name for name, reason in answers if reason is None],
                "refused": {name: reason for name, reason in answers if reason not in (None, "-")},
                "untried": [name for name, reason in answers if reason == "-"],
            }
        if sys.stderr.isatty():
            print(f"\r\033[K{kind}", end="", file=sys.stderr)
    options.table.write_text("".join(f"{kind}: {json.dumps(found)}\n" for kind, found in sorted(lines.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
