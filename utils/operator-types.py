#!/usr/bin/env python3
"""Tries every operator of ONNX with every type that its schema allows, and writes test/Backend/types.txt.

    .venv/bin/python utils/operator-types.py [--build=build/release] [--table=FILE] [OPERATOR...]

An official test of the operator's node is taken, its first input's type variable is given each type in turn (with it all
inputs and outputs of that variable), and the model is compiled and run. A type works where that gives outputs of the
types that ONNX's inference tells, with onnx.reference's values where it has some; else the line holds the reason; types of which no form of a test can be made are untried. Without operators all are tried; with some, only
their lines are written anew. docs/Operators.md shows the result.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import argparse
import json
import multiprocessing
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "Backend"))

import official  # noqa: E402

TYPES = ROOT / "test" / "Backend" / "types.txt"
SECONDS = 60

# Operators on sequences, whose first operand has no element type of its own.
NO_TENSORS = ["SequenceInsert", "SequenceMap"]


def node_tests() -> dict[str, list]:
    """Official tests of one node each, by operator; those that pass, small ones first."""
    passes = set(official.read_passes())
    found: dict[str, list] = {}
    for name, test in sorted(official.load_tests().items()):
        if test.kind != "node" or "_expanded" in name or name not in passes or len(test.model.graph.node) != 1:
            continue
        node = test.model.graph.node[0]
        if node.domain in ("", "ai.onnx"):
            found.setdefault(node.op_type, []).append(test)
    return {kind: sorted(tests, key=lambda test: test.model.ByteSize()) for kind, tests in found.items()}


def formal(parameters, i: int):
    """The parameter that operand `i` stands for; the last may take several."""
    return parameters[min(i, len(parameters) - 1)]


def retyped(test, schema, variable: str, kind: int):
    """The test's model and inputs with another type in place of `variable`; None where an operand is no tensor."""
    import numpy as np
    import onnx
    from onnx import helper

    model = onnx.ModelProto()
    model.CopyFrom(test.model)
    node, graph = model.graph.node[0], model.graph
    inputs = [np.asarray(value) for value in next(official.data_sets(test, test.model))[0]]
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    of = {name: formal(schema.inputs, i).type_str for i, name in enumerate(node.input)}
    of |= {name: formal(schema.outputs, i).type_str for i, name in enumerate(node.output)}
    for place, value in enumerate(graph.input):
        if not value.type.HasField("tensor_type"):
            return None
        if of.get(value.name) == variable:
            value.type.tensor_type.elem_type = kind
            number = inputs[place].astype(np.float64) if inputs[place].dtype != bool else inputs[place]
            if kind in (
                onnx.TensorProto.UINT8,
                onnx.TensorProto.UINT16,
                onnx.TensorProto.UINT32,
                onnx.TensorProto.UINT64,
                onnx.TensorProto.UINT4,
                onnx.TensorProto.UINT2,
            ):
                number = np.abs(number.astype(np.float64))
            inputs[place] = number.astype(dtype)
    # What ONNX infers is what is expected.
    del graph.output[:]
    graph.output.extend(helper.make_empty_tensor_value_info(name) for name in node.output if name)
    try:
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except onnx.shape_inference.InferenceError:
        # Of some operators with a body the inference is at fault, not the model; outputs of the variable are of its type.
        if any(formal(schema.outputs, i).type_str != variable for i in range(len(node.output))):
            return None
        inferred = onnx.ModelProto()
        inferred.CopyFrom(test.model)
        for value in inferred.graph.output:
            value.type.tensor_type.elem_type = kind
    del graph.output[:]
    graph.output.extend(inferred.graph.output)
    return model, inputs


def referred(model, inputs: list) -> list | None:
    """What ONNX's own reference gives; None where it cannot, or gives other types than it says."""
    from onnx.reference import ReferenceEvaluator

    try:
        names = [value.name for value in model.graph.input]
        return ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))
    except Exception:
        return None


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


def is_close(one, other, step: float) -> bool:
    """Whether values agree to some steps of the coarsest type; integers and booleans are equal."""
    import numpy as np

    other = np.asarray(other)
    if one.shape != other.shape:
        return False
    if one.dtype == bool or np.issubdtype(one.dtype, np.integer) or one.dtype.name.lstrip("u").startswith("int"):
        return np.array_equal(one.astype(np.int64), other.astype(np.int64))
    return np.allclose(
        one.astype(np.float64),
        other.astype(np.float64),
        rtol=max(4 * step, 1e-4),
        atol=max(4 * step, 1e-5),
        equal_nan=True,
    )


def attempt(test, schema, variable: str, kind: int) -> str | None:
    """None where it works, else the reason in a few words; "-" where the form cannot be made."""
    from onnx import helper

    import mho.onnx_backend

    try:
        made = retyped(test, schema, variable, kind)
    except Exception:
        return "-"
    if made is None:
        return "-"
    model, inputs = made
    try:
        outputs = mho.onnx_backend.prepare(model, threads=1).run(inputs)
    except Exception as error:
        return re.sub(r"\s+", " ", official.words(error))
    expected = referred(model, inputs)
    step = max(map(step_of, [*inputs, *outputs]))
    for value, output, tensor in zip(model.graph.output, outputs, expected or outputs, strict=True):
        wanted = helper.tensor_dtype_to_np_dtype(element_type(value.type))
        of_sequence = isinstance(output, list)
        for one, other in zip(output, tensor, strict=True) if of_sequence else [(output, tensor)]:
            if one.dtype != wanted:
                return f"gives {one.dtype} for {wanted}"
            if not is_close(one, other, step):
                return "gives other values than onnx.reference"
    return None


def try_operator(kind: str, tests: list, answers) -> None:
    """Puts [type, reason] for each type of the operator's first variable."""
    import onnx
    from onnx import helper

    schema = onnx.defs.get_schema(kind)
    if not schema.inputs:
        return
    variable = schema.inputs[0].type_str
    constraints = {entry.type_param_str: entry.allowed_type_strs for entry in schema.type_constraints}
    allowed = constraints.get(variable, [variable])
    for text in sorted(allowed):
        name = re.fullmatch(r"tensor\((\w+)\)", text)
        if not name or name[1] == "string" or name[1].startswith("complex"):
            continue
        element = {"double": "DOUBLE", "float": "FLOAT"}.get(name[1], name[1].upper())
        number = onnx.TensorProto.DataType.Value(element)
        # The newest form of a test that can be made with this type.
        reasons = [attempt(test, schema, variable, number) for test in tests[:4]]
        made = [reason for reason in reasons if reason != "-"]
        outcome = "-" if not made else None if None in made else made[0]
        answers.put([helper.tensor_dtype_to_string(number).removeprefix("TensorProto.").lower(), outcome])


def isolated(kind: str, tests: list) -> list:
    """The answers of a process of its own: a crash is one operator's."""
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=try_operator, args=(kind, tests, queue))
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
    for kind, tests in sorted(node_tests().items()):
        if options.operators and kind not in options.operators:
            continue
        answers = isolated(kind, tests)
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
