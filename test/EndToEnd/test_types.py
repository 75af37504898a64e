"""Element types: every cast against onnx.reference, bit casts, sparse and typed constants, narrow interfaces."""

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from harness import reference

NARROW = [
    "bfloat16",
    "float8e4m3fn",
    "float8e4m3fnuz",
    "float8e5m2",
    "float8e5m2fnuz",
    "float4e2m1",
    "int4",
    "uint4",
    "int2",
    "uint2",
]
PLAIN = ["float", "double", "float16", "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
TYPES = [*PLAIN, *NARROW]


def kind_of(name: str) -> int:
    return TensorProto.DataType.Value(name.upper())


def dtype_of(name: str) -> np.dtype:
    return helper.tensor_dtype_to_np_dtype(kind_of(name))


def is_float(name: str) -> bool:
    return "float" in name or name == "double"


def as_file_array(array: np.ndarray) -> np.ndarray:
    """How an .npz holds what NumPy lacks: bit patterns of floats, values of small integers."""
    info = array.dtype
    if info in (ml_dtypes.int4, ml_dtypes.int2):
        return array.astype(np.int8)
    if info in (ml_dtypes.uint4, ml_dtypes.uint2):
        return array.astype(np.uint8)
    if info.kind == "V" or info == ml_dtypes.bfloat16 or info.name.startswith("float8"):
        return array.view(np.uint16 if info.itemsize == 2 else np.uint8)
    return array


def as_numbers(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64)


def single(node, inputs, outputs, initializers=(), opset=25, sparse=()) -> onnx.ModelProto:
    nodes = node if isinstance(node, list) else [node]
    graph = helper.make_graph(nodes, "test", inputs, outputs, initializers, sparse_initializer=sparse)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=13)


def samples(source: str) -> np.ndarray:
    """Numbers at the edges of small types, and what floats have besides."""
    numbers = [0, 1, 2, 3, 5, 6, 7, 8, 15, 17, 100, 127, 128, 200, 255]
    if not source.startswith("u") and source != "bool":
        numbers += [-1, -2, -3, -8, -9, -100, -127, -128]
    if is_float(source):
        numbers += [0.25, 0.3, 0.5, 0.75, 1.5, 2.5, -0.3, -2.5, -0.0, 1e-3, 240, 447, 449, 57343, 1e5, -1e5]
        numbers += [1e-7, -1e-7, np.inf, -np.inf, np.nan]
    with np.errstate(all="ignore"):
        return np.array(numbers, np.float64).astype(dtype_of(source))


def comparable(x: np.ndarray, source: str, target: str) -> np.ndarray:
    """Where ONNX defines a cast: not for floats that an integer type cannot hold."""
    if not is_float(source) or is_float(target) or target == "bool":
        return np.ones(len(x), bool)
    numbers = as_numbers(x)
    inside = np.isfinite(numbers) & (np.abs(numbers) < 1e9)
    if target in ("uint32", "uint64"):
        inside &= numbers > -1
    return inside


def cast_by_reference(x: np.ndarray, source: str, target: str) -> np.ndarray:
    small = ("int4", "uint4", "int2", "uint2")
    if source in small and target in small:
        # onnx.reference has no casts between these.
        return x.astype(np.int8).astype(dtype_of(target))
    node = helper.make_node("Cast", ["x"], ["y"], to=kind_of(target))
    declared = [helper.make_tensor_value_info(n, kind_of(t), x.shape) for n, t in (("x", source), ("y", target))]
    with np.errstate(all="ignore"):
        return ReferenceEvaluator(single(node, declared[:1], declared[1:])).run(None, {"x": x})[0]


@pytest.mark.parametrize("constant", [False, True], ids=["run", "folded"])
@pytest.mark.parametrize("source", TYPES)
def test_casts_to_every_type(tools, source, constant):
    """All targets in one program; folded ones get a live input beside them."""
    x = samples(source)
    targets = [target for target in TYPES if target != source]
    nodes = [helper.make_node("Cast", ["x"], [target], to=kind_of(target)) for target in targets]
    outputs = [helper.make_tensor_value_info(target, kind_of(target), x.shape) for target in targets]
    declared = helper.make_tensor_value_info("x", kind_of(source), x.shape)
    feeds, initializers, inputs = {"x": as_file_array(x)}, [], [declared]
    if constant:
        initializers = [numpy_helper.from_array(x, "x")]
        nodes.append(helper.make_node("Neg", ["live"], ["negated"]))
        outputs.append(helper.make_tensor_value_info("negated", TensorProto.FLOAT, [1]))
        inputs, feeds = (
            [helper.make_tensor_value_info("live", TensorProto.FLOAT, [1])],
            {"live": np.ones(1, np.float32)},
        )
    model = single(nodes, inputs, outputs, initializers)
    got = tools.execute(tools.compile(model, target="ideal"), feeds)
    wanted = {target: cast_by_reference(x, source, target) for target in targets}
    for target in targets:
        where = comparable(x, source, target)
        mine, theirs = as_numbers(got[target])[where], as_numbers(wanted[target])[where]
        np.testing.assert_array_equal(mine, theirs, err_msg=f"{source} to {target}")


@pytest.mark.parametrize("source", ["float", "float16", "bfloat16"])
@pytest.mark.parametrize("target", ["float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"])
def test_cast_without_saturation(tools, source, target):
    x = samples(source)
    node = helper.make_node("Cast", ["x"], ["y"], to=kind_of(target), saturate=0)
    model = single(
        node,
        [helper.make_tensor_value_info("x", kind_of(source), x.shape)],
        [helper.make_tensor_value_info("y", kind_of(target), x.shape)],
    )
    got = tools.execute(tools.compile(model, target="ideal"), {"x": as_file_array(x)})["y"]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, x.astype(dtype_of(target)).astype(np.float32))


@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_powers_of_two(tools, mode):
    """float8e8m0 by its three roundings, as a run-time value and folded."""
    x = np.float32([1, 1.1, 1.5, 1.75, 2, 3, 0.124, 0.25, 1e-30, 3e30, np.nan])
    exponent = {"up": np.ceil, "down": np.floor, "nearest": lambda e: np.floor(e) + (2 ** (e % 1) >= 1.5)}[mode]
    wanted = (2.0 ** exponent(np.log2(x.astype(np.float64)))).astype(np.float32)
    nodes = [
        helper.make_node("Cast", [name], [name + "_power"], to=TensorProto.FLOAT8E8M0, round_mode=mode)
        for name in ("x", "c")
    ]
    outputs = [helper.make_tensor_value_info(n.output[0], TensorProto.FLOAT8E8M0, x.shape) for n in nodes]
    declared = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)]
    model = single(nodes, declared, outputs, [numpy_helper.from_array(x, "c")])
    got = tools.execute(tools.compile(model, target="ideal"), {"x": x})
    np.testing.assert_array_equal(got["x_power"], wanted)
    np.testing.assert_array_equal(got["c_power"], wanted)


@pytest.mark.parametrize(
    "source, target",
    [("float", "int32"), ("int32", "float"), ("double", "int64"), ("int8", "uint8"), ("bfloat16", "uint16"),
     ("bool", "uint8"), ("float8e5m2", "uint8"), ("int4", "uint4")],
)  # fmt: skip
def test_bit_cast(tools, source, target):
    x = samples(source)
    model = single(
        helper.make_node("BitCast", ["x"], ["y"], to=kind_of(target)),
        [helper.make_tensor_value_info("x", kind_of(source), x.shape)],
        [helper.make_tensor_value_info("y", kind_of(target), x.shape)],
        opset=26,
    )
    got = tools.execute(tools.compile(model, target="ideal"), {"x": as_file_array(x)})["y"]
    wanted = x.astype(np.int8).astype(np.uint8) & 15 if source == "int4" else x.view(dtype_of(target))
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("raw", [True, False], ids=["raw", "typed"])
def test_constants_of_every_type(tools, name, raw):
    """Odd counts, so that packed elements end inside a byte; from raw bytes and from the typed field."""
    x = samples(name)[:13]
    if raw:
        tensor = numpy_helper.from_array(x, "c")
    else:
        values = x if name in ("bfloat16", "float4e2m1") or "8" in name else x.tolist()
        tensor = helper.make_tensor("c", kind_of(name), x.shape, values)
    assert tensor.HasField("raw_data") == raw
    nodes = [helper.make_node("Identity", ["c"], ["y"]), helper.make_node("Neg", ["live"], ["z"])]
    model = single(
        nodes,
        [helper.make_tensor_value_info("live", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", kind_of(name), x.shape), helper.make_tensor_value_info("z", 1, [1])],
        [tensor],
    )
    got = tools.execute(tools.compile(model, target="ideal"), {"live": np.ones(1, np.float32)})["y"]
    np.testing.assert_array_equal(as_numbers(got), as_numbers(x))


@pytest.mark.parametrize("name", NARROW)
def test_narrow_values_pass_through(tools, name):
    """Input, transpose, output; the file may hold bit patterns or values."""
    x = samples(name)[:12].reshape(3, 4)
    model = single(
        helper.make_node("Transpose", ["x"], ["y"]),
        [helper.make_tensor_value_info("x", kind_of(name), x.shape)],
        [helper.make_tensor_value_info("y", kind_of(name), x.T.shape)],
    )
    program = tools.compile(model, target="ideal")
    forms = [as_file_array(x), as_numbers(x).astype(np.float32 if is_float(name) else np.int8)]
    if not is_float(name):
        forms.append(x.astype(np.int8).astype(np.uint8) & (15 if "4" in name else 3))
    for form in forms:
        got = tools.execute(program, {"x": form})["y"]
        np.testing.assert_array_equal(as_numbers(got), as_numbers(x.T))


@pytest.mark.parametrize("coordinates", [False, True], ids=["linear", "coordinates"])
@pytest.mark.parametrize("where", ["initializer", "node"])
def test_sparse_constant(tools, where, coordinates):
    dense = np.zeros((5, 7), np.float32)
    dense[1, 3], dense[4, 0], dense[2, 6] = 1.5, -2, 0.25
    places = np.flatnonzero(dense)
    indices = np.stack(np.unravel_index(places, dense.shape), 1) if coordinates else places
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(dense.ravel()[places], "w"),
        numpy_helper.from_array(indices.astype(np.int64), "w_indices"),
        list(dense.shape),
    )
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    if where == "node":
        nodes.insert(0, helper.make_node("Constant", [], ["w"], sparse_value=sparse))
    x = np.random.default_rng(0).standard_normal((2, 5)).astype(np.float32)
    model = single(
        nodes,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 7])],
        opset=18,
        sparse=[sparse] if where == "initializer" else [],
    )
    got = tools.execute(tools.compile(model, target="ideal"), {"x": x}, "--ideal")["y"]
    np.testing.assert_allclose(got, x @ dense, rtol=1e-5, atol=1e-6)


def test_initializers_that_are_also_inputs(tools):
    """IR 3 lists every initializer as an input."""
    rng = np.random.default_rng(1)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((3, 5), (5, 4)))
    model = single(
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, a.shape) for name, a in (("x", x), ("w", w))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 4])],
        [numpy_helper.from_array(w, "w")],
        opset=7,
    )
    model.ir_version = 3
    wanted = reference(model, {"x": x})["y"]
    got = tools.execute(tools.compile(model, target="ideal"), {"x": x}, "--ideal")
    np.testing.assert_allclose(got["y"], wanted, rtol=1e-5, atol=1e-6)


def test_strings_are_refused_with_their_node(tools):
    node = helper.make_node("Cast", ["x"], ["text"], "write", to=TensorProto.STRING)
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])]
    model = single(node, inputs, [helper.make_tensor_value_info("text", TensorProto.STRING, [2])])
    onnx.save(model, tools.folder / "strings.onnx")
    message = tools.refuse("mhoc", tools.folder / "strings.onnx", "-o", tools.folder / "s.mho")
    assert "write" in message and "STRING" in message


def test_values_that_a_narrow_type_cannot_hold_are_refused(tools):
    model = single(
        helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT),
        [helper.make_tensor_value_info("x", TensorProto.INT4, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    program = tools.compile(model, target="ideal")
    for wrong in (np.int8([3, 9]), np.uint8([3, 16])):
        np.savez(tools.folder / "in.npz", x=wrong)
        message = tools.refuse("mho-run", program, "--input", tools.folder / "in.npz")
        assert "'x'" in message and "i4" in message and str(wrong[1]) in message
