"""Quantized operators and models against ONNX Runtime, and that their weights reach arrays."""

import json

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from harness import reference, relative_error

CASES = {}


class Model:
    """Collects nodes of any domain; a seeded random source beside them."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.initializers, self.inputs, self.feeds = [], [], [], {}

    def input(self, values) -> str:
        values = np.asarray(values)
        name = f"x{len(self.inputs)}"
        kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        self.inputs.append(helper.make_tensor_value_info(name, kind, values.shape))
        self.feeds[name] = values
        return name

    def constant(self, values) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def floats(self, *shape) -> np.ndarray:
        return self.rng.standard_normal(shape).astype(np.float32)

    def bytes(self, *shape, kind=np.uint8) -> np.ndarray:
        """Random integers; signed bytes of seven bits, since ONNX Runtime's sums of two products of unsigned
        and signed bytes saturate at 16 bits on machines without VNNI."""
        low, high = (-63, 63) if kind is np.int8 else (np.iinfo(kind).min, np.iinfo(kind).max)
        return self.rng.integers(low, high + 1, shape).astype(kind)

    def scales(self, *shape) -> np.ndarray:
        return self.rng.uniform(0.01, 0.05, shape).astype(np.float32)

    def __call__(self, op: str, *inputs, domain="", outputs=1, **attributes) -> str:
        """The first output's name."""
        name = f"y{len(self.nodes)}"
        names = [name, *(f"{name}_{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(op, inputs, names, f"{op}_{len(self.nodes)}", domain=domain, **attributes))
        return name

    def build(self, output: str, kind: int, opset: int) -> onnx.ModelProto:
        result = helper.make_tensor_value_info(output, kind, None)
        graph = helper.make_graph(self.nodes, "test", self.inputs, [result], self.initializers)
        imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=imports, ir_version=10)


def case(kind=TensorProto.FLOAT, opset=21, tolerance=0, oracle=reference):
    """`tolerance`: for floats relative to the range, for integers in steps."""

    def register(function):
        CASES[function.__name__] = (function, kind, opset, tolerance, oracle)
        return function

    return register


def by_reference(model, feeds):
    """onnx.reference, where ONNX Runtime has no kernel."""
    return {model.graph.output[0].name: ReferenceEvaluator(model).run(None, feeds)[0]}


MS = "com.microsoft"
UINT8, INT8, INT32, FLOAT = TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32, TensorProto.FLOAT


# --- quantizing and back ----------------------------------------------------


@case(TensorProto.INT16, tolerance=1)
def quantize_int16(m):
    return m("QuantizeLinear", m.input(m.floats(4, 7)), m.constant(np.float32(2e-4)), m.constant(np.int16(-300)))


@case(TensorProto.UINT16, tolerance=1)
def quantize_uint16_per_axis(m):
    zeros = m.constant(m.bytes(7, kind=np.uint16))
    return m("QuantizeLinear", m.input(m.floats(4, 7)), m.constant(m.scales(7) / 1000), zeros)


@case(INT8, tolerance=1)
def quantize_first_axis(m):
    zeros = m.constant(m.bytes(4, kind=np.int8))
    return m("QuantizeLinear", m.input(m.floats(4, 3, 5)), m.constant(m.scales(4)), zeros, axis=0)


@case(UINT8, tolerance=1)
def quantize_contributed(m):
    scale, zero = m.constant(np.float32(0.02)), m.constant(np.uint8(120))
    return m("QuantizeLinear", m.input(m.floats(4, 7)), scale, zero, domain=MS)


@case()
def dequantize_contributed(m):
    scales, zeros = m.constant(m.scales(3)), m.constant(m.bytes(3, kind=np.int8))
    return m("DequantizeLinear", m.input(m.bytes(4, 3, 5, kind=np.int8)), scales, zeros, domain=MS, axis=1)


@case(INT8, tolerance=1)
def quantize_blocked(m):
    scales, zeros = m.constant(m.scales(3, 4)), m.constant(m.bytes(3, 4, kind=np.int8))
    return m("QuantizeLinear", m.input(m.floats(3, 12)), scales, zeros, axis=1, block_size=3)


@case(INT8, tolerance=1, oracle=by_reference)
def quantize_blocked_with_a_rest(m):
    scales, zeros = m.constant(m.scales(4, 5)), m.constant(m.bytes(4, 5, kind=np.int8))
    return m("QuantizeLinear", m.input(m.floats(11, 5)), scales, zeros, axis=0, block_size=3)


@case(INT8, opset=21, tolerance=1)
def quantize_half(m):
    x = m.input(m.floats(4, 9).astype(np.float16))
    return m("QuantizeLinear", x, m.constant(np.float16(0.03)), m.constant(np.int8(3)))


@case(tolerance=1e-6)
def dequantize_blocked(m):
    scales, zeros = m.constant(m.scales(2, 5)), m.constant(m.bytes(2, 5))
    return m("DequantizeLinear", m.input(m.bytes(8, 5)), scales, zeros, axis=0, block_size=4)


@case(tolerance=1e-6)
def dequantize_int32(m):
    return m("DequantizeLinear", m.input(m.bytes(3, 5, kind=np.int32)), m.constant(np.float32(0.02)))


@case(tolerance=1e-6)
def dequantize_by_an_input_scale(m):
    return m("DequantizeLinear", m.input(m.bytes(4, 3)), m.input(m.scales(3)), m.input(m.bytes(3)))


@case(UINT8, tolerance=1)
def dynamic_quantize(m):
    x = m.input(m.floats(5, 6))
    m.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], ["bytes", "scale", "zero"]))
    return "bytes"


# --- products of integers ---------------------------------------------------


def add_matmul_integer(name, a, b, constant, zeros):
    @case(INT32)
    def build(m):
        w = m.bytes(19, 6, kind=b)
        inputs = [m.input(m.bytes(4, 19, kind=a)), m.constant(w) if constant else m.input(w)]
        if zeros:
            inputs += [m.constant(m.bytes(kind=a)), m.constant(m.bytes(*zeros, kind=b))]
        return m("MatMulInteger", *inputs)

    CASES[f"matmul_integer_{name}"] = CASES.pop("build")


add_matmul_integer("u8s8", np.uint8, np.int8, False, None)
add_matmul_integer("u8u8_zero", np.uint8, np.uint8, False, ())
add_matmul_integer("s8s8_columns", np.int8, np.int8, False, (6,))
add_matmul_integer("constant", np.uint8, np.int8, True, ())
add_matmul_integer("constant_columns", np.uint8, np.uint8, True, (6,))


@case(INT32)
def matmul_integer_batched(m):
    a, b = m.input(m.bytes(2, 3, 4, 5)), m.input(m.bytes(2, 1, 5, 3))
    return m("MatMulInteger", a, b, m.constant(np.uint8(100)), m.constant(np.uint8(7)))


@case(INT32)
def conv_integer(m):
    x, w = m.input(m.bytes(1, 3, 7, 6)), m.input(m.bytes(4, 3, 3, 2))
    return m("ConvInteger", x, w, m.constant(np.uint8(120)), m.constant(np.uint8(9)), pads=[1, 0, 1, 1], strides=[2, 1])


@case(INT32)
def conv_integer_constant_weights(m):
    x, w = m.input(m.bytes(1, 3, 7, 6)), m.constant(m.bytes(4, 3, 3, 2))
    return m("ConvInteger", x, w, m.constant(np.uint8(120)), m.constant(np.uint8(9)), pads=[1, 1, 1, 1])


def add_qlinear_matmul(name, constant, columns):
    @case(UINT8, tolerance=1)
    def build(m):
        w = m.bytes(17, 5, kind=np.int8)
        inputs = [m.input(m.bytes(4, 17)), m.constant(np.float32(0.02)), m.constant(np.uint8(121))]
        shape = (5,) if columns else ()
        inputs += [m.constant(w) if constant else m.input(w)]
        inputs += [m.constant(m.scales(*shape)), m.constant(np.zeros(shape, np.int8) + np.int8(3))]
        inputs += [m.constant(np.float32(0.3)), m.constant(np.uint8(99))]
        return m("QLinearMatMul", *inputs)

    CASES[f"qlinear_matmul_{name}"] = CASES.pop("build")


add_qlinear_matmul("inputs", False, False)
add_qlinear_matmul("weights", True, False)
add_qlinear_matmul("weights_per_column", True, True)


def add_qlinear_conv(name, constant, channels, bias, **attributes):
    @case(UINT8, tolerance=1)
    def build(m):
        group = attributes.get("group", 1)
        w = m.bytes(6, 4 // group, 3, 3, kind=np.int8)
        inputs = [m.input(m.bytes(2, 4, 7, 8)), m.constant(np.float32(0.02)), m.constant(np.uint8(117))]
        shape = (6,) if channels else ()
        inputs += [m.constant(w) if constant else m.input(w)]
        inputs += [m.constant(m.scales(*shape)), m.constant(np.zeros(shape, np.int8))]
        inputs += [m.constant(np.float32(0.4)), m.constant(np.uint8(130))]
        if bias:
            inputs.append(m.constant(m.rng.integers(-3000, 3000, 6).astype(np.int32)))
        return m("QLinearConv", *inputs, **attributes)

    CASES[f"qlinear_conv_{name}"] = CASES.pop("build")


add_qlinear_conv("inputs", False, False, False)
add_qlinear_conv("weights", True, False, True, pads=[1, 1, 1, 1])
add_qlinear_conv("per_channel", True, True, True, pads=[1, 0, 0, 1], strides=[2, 1])
add_qlinear_conv("grouped", True, True, False, group=2)


# --- ONNX Runtime's operators -----------------------------------------------


def quantizer(m, zero, kind=np.uint8):
    return [m.constant(np.float32(m.rng.uniform(0.01, 0.03))), m.constant(kind(zero))]


def add_contrib(name, op, second=False, signed=False, **attributes):
    kind, middle = (np.int8, -128) if signed else (np.uint8, 0)

    @case(TensorProto.INT8 if signed else UINT8, tolerance=1)
    def build(m):
        inputs = [m.input(m.bytes(2, 3, 6, 5, kind=kind)), *quantizer(m, middle + 110, kind)]
        if second:
            inputs += [m.input(m.bytes(3, 1, 5, kind=kind)), *quantizer(m, middle + 131, kind)]
        return m(op, *inputs, *quantizer(m, middle + 90, kind), domain=MS, **attributes)

    CASES[name] = CASES.pop("build")


add_contrib("qlinear_add", "QLinearAdd", second=True)
add_contrib("qlinear_add_signed", "QLinearAdd", second=True, signed=True)
add_contrib("qlinear_mul", "QLinearMul", second=True)
add_contrib("qlinear_mul_signed", "QLinearMul", second=True, signed=True)
add_contrib("qlinear_sigmoid", "QLinearSigmoid")
add_contrib("qlinear_softmax", "QLinearSoftmax", axis=1, opset=13)
add_contrib("qlinear_softmax_of_all_behind", "QLinearSoftmax", axis=2, opset=12)
add_contrib("qlinear_leaky_relu", "QLinearLeakyRelu", alpha=0.2)
add_contrib("qlinear_average_pool", "QLinearAveragePool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 0])
add_contrib("qlinear_global_average_pool", "QLinearGlobalAveragePool")
add_contrib("qlinear_global_average_pool_last", "QLinearGlobalAveragePool", channels_last=1)


@case(UINT8, tolerance=1)
def qlinear_where(m):
    condition = m.input(m.rng.integers(0, 2, (3, 1, 5)).astype(bool))
    either = [m.input(m.bytes(4, 1)), *quantizer(m, 110), m.input(m.bytes(1, 5)), *quantizer(m, 131)]
    return m("QLinearWhere", condition, *either, *quantizer(m, 120), domain=MS)


def add_qattention(name, mask=False, past=False, **attributes):
    @case(tolerance=1e-4)
    def build(m):
        batch, length, width, heads = 2, 5, 12, 3
        inputs = [m.input(m.bytes(batch, length, width)), m.constant(m.bytes(width, 3 * width, kind=np.int8))]
        inputs += [m.constant(m.floats(3 * width)), m.constant(np.float32(0.02)), m.constant(np.float32(0.01))]
        inputs.append(m.input(np.array([3, 5], np.int32)) if mask else "")
        inputs += [m.constant(np.uint8(117)), m.constant(np.int8(0))]
        if past:
            inputs.append(m.input(m.floats(2, batch, heads, 4, width // heads)))
        return m("QAttention", *inputs, domain=MS, outputs=1 + past, num_heads=heads, **attributes)

    CASES[name] = CASES.pop("build")


add_qattention("qattention_constant")
add_qattention("qattention_constant_masked", mask=True)
add_qattention("qattention_constant_causal", past=True, unidirectional=1)


@case(tolerance=1e-4)
def qembed_layer_normalization(m):
    ids, segments = (m.input(m.rng.integers(0, high, (2, 4)).astype(np.int32)) for high in (9, 2))
    inputs = [ids, segments, *(m.constant(m.bytes(*shape)) for shape in [(9, 6), (7, 6), (2, 6), (6,), (6,)]), ""]
    inputs += [m.constant(np.float32(m.rng.uniform(0.01, 0.05))) for _ in range(5)]
    inputs += [m.constant(np.uint8(m.rng.integers(90, 160))) for _ in range(5)]
    return m("QEmbedLayerNormalization", *inputs, domain=MS, outputs=2)


@case(UINT8, tolerance=1)
def qlinear_concat(m):
    parts = []
    for channels in (2, 3):
        parts += [m.input(m.bytes(2, channels, 4)), *quantizer(m, 100 + channels)]
    return m("QLinearConcat", *quantizer(m, 120), *parts, domain=MS, axis=1)


@case(tolerance=1e-5)
def matmul_integer_to_float(m):
    w, bias = m.constant(m.bytes(13, 6, kind=np.int8)), m.constant(m.floats(6))
    inputs = [m.input(m.bytes(4, 13)), w, m.constant(np.float32(0.03)), m.constant(m.scales(6))]
    return m(
        "MatMulIntegerToFloat",
        *inputs,
        m.constant(np.uint8(127)),
        m.constant(m.bytes(6, kind=np.int8)),
        bias,
        domain=MS,
    )


@case(tolerance=1e-2)
def dynamic_quantize_matmul(m):
    w, bias = m.constant(m.bytes(23, 6)), m.constant(m.floats(6))
    return m(
        "DynamicQuantizeMatMul",
        m.input(m.floats(4, 23)),
        w,
        m.constant(m.scales(6)),
        m.constant(m.bytes(6)),
        bias,
        domain=MS,
    )


def add_dynamic_quantize_lstm(name, directions, columns=1, peepholes=False, state=False, **attributes):
    """Weights lie as rows × columns, with one scale a direction or one a column."""

    @case(tolerance=1e-2)
    def build(m):
        hidden, inputs = 6, 9
        shape = (directions,) if columns == 1 else (directions, 4 * hidden)
        parameters = []
        for rows in (inputs, hidden):
            parameters.append(m.constant(m.bytes(directions, rows, 4 * hidden, kind=np.int8)))
        quantizers = []
        for _ in range(2):
            quantizers += [m.constant(m.scales(*shape)), m.constant(np.zeros(shape, np.int8))]
        bias = m.constant(m.floats(directions, 8 * hidden))
        states = [m.input(m.floats(directions, 2, hidden)) for _ in range(2)] if state else ["", ""]
        peephole = m.constant(m.floats(directions, 3 * hidden)) if peepholes else ""
        inputs = [m.input(m.floats(5, 2, inputs)), *parameters, bias, "", *states, peephole, *quantizers]
        return m("DynamicQuantizeLSTM", *inputs, domain=MS, hidden_size=hidden, **attributes)

    CASES[f"dynamic_quantize_lstm_{name}"] = CASES.pop("build")


add_dynamic_quantize_lstm("both_constant", 2, direction="bidirectional")
add_dynamic_quantize_lstm("reverse_per_channel", 1, columns=24, state=True, direction="reverse")
add_dynamic_quantize_lstm("peepholes", 1, peepholes=True, state=True)


@case(UINT8, tolerance=1)
def qgemm(m):
    w, bias = m.constant(m.bytes(6, 17, kind=np.int8)), m.constant(m.rng.integers(-999, 999, 6).astype(np.int32))
    inputs = [m.input(m.bytes(4, 17)), m.constant(np.float32(0.02)), m.constant(np.uint8(121)), w]
    inputs += [
        m.constant(np.float32(0.03)),
        m.constant(np.int8(2)),
        bias,
        m.constant(np.float32(0.2)),
        m.constant(np.uint8(100)),
    ]
    return m("QGemm", *inputs, domain=MS, transB=1)


def add_matmul_nbits(name, bits, zeros, block=16, rows=37, columns=11):
    @case(tolerance=1e-5)
    def build(m):
        blocks = -(-rows // block)
        packed = m.constant(m.bytes(columns, blocks, block * bits // 8))
        inputs = [m.input(m.floats(2, 3, rows)), packed, m.constant(m.scales(columns * blocks))]
        if zeros == "packed":
            inputs.append(m.constant(m.bytes(columns * -(-blocks * bits // 8))))
        elif zeros == "floats":
            inputs.append(m.constant(m.rng.uniform(3, 12, columns * blocks).astype(np.float32)))
        return m("MatMulNBits", *inputs, domain=MS, K=rows, N=columns, bits=bits, block_size=block)

    CASES[f"matmul_nbits_{name}"] = CASES.pop("build")


add_matmul_nbits("4", 4, None)
add_matmul_nbits("4_packed_zeros", 4, "packed")
add_matmul_nbits("4_float_zeros", 4, "floats", block=32)
add_matmul_nbits("8", 8, None, block=32)


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", CASES)
def test_quantized_operator(tools, name, target):
    build, kind, opset, tolerance, oracle = CASES[name]
    m = Model(seed=len(name))
    model = m.build(build(m), kind, opset)
    wanted = oracle(model, m.feeds)
    got = tools.execute(tools.compile(model, target=target), m.feeds, "--ideal")
    (output,) = wanted
    assert got[output].dtype == wanted[output].dtype
    if kind == FLOAT:
        assert relative_error(got[output], wanted[output]) <= max(tolerance, 1e-6)
        return
    difference = got[output].astype(np.int64) - wanted[output].astype(np.int64)
    assert np.abs(difference).max() <= tolerance
    # A step apart is a tie of rounding, which is rare.
    assert (difference != 0).mean() <= 0.1


# --- weights that arrays hold -----------------------------------------------


def small_float(values, kind):
    return numpy_helper.from_array(values.astype(kind), "w")


WEIGHTS = {
    "int8": (lambda w: numpy_helper.from_array((w * 50).round().astype(np.int8), "w"), {}, ()),
    "int8_per_column": (lambda w: numpy_helper.from_array((w * 50).round().astype(np.int8), "w"), {"axis": 1}, (9,)),
    "int4_blocked": (lambda w: small_float((w * 3).round(), ml_dtypes.int4), {"axis": 0, "block_size": 8}, (3, 9)),
    "uint4_rest": (lambda w: small_float(np.abs(w * 3).round(), ml_dtypes.uint4), {"axis": 0, "block_size": 7}, (4, 9)),
    "float8": (lambda w: small_float(w, ml_dtypes.float8_e4m3fn), {}, ()),
    "float4_blocked": (lambda w: small_float(w * 2, ml_dtypes.float4_e2m1fn), {"axis": 1, "block_size": 3}, (24, 3)),
    "int2": (lambda w: small_float(w.clip(-2, 1).round(), ml_dtypes.int2), {"axis": 1}, (9,)),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_dequantized_weights_are_on_arrays(tools, name):
    pack, attributes, shape = WEIGHTS[name]
    rng = np.random.default_rng(3)
    scale = rng.uniform(0.1, 0.5, shape).astype(np.float32)
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "scale"], ["dense"], **attributes),
        helper.make_node("MatMul", ["x", "dense"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", FLOAT, [5, 24])],
        [helper.make_tensor_value_info("y", FLOAT, [5, 9])],
        [pack(rng.standard_normal((24, 9)).astype(np.float32)), numpy_helper.from_array(scale, "scale")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=13)
    x = rng.standard_normal((5, 24)).astype(np.float32)
    wanted = ReferenceEvaluator(model).run(None, {"x": x})[0]
    report = tools.folder / "report.json"
    got = tools.execute(tools.compile(model), {"x": x}, "--ideal", f"--report={report}")["y"]
    assert relative_error(got, wanted) <= 1e-5
    assert json.loads(report.read_text())["arrays"]["used"] == 1


PRODUCTS = [n for n in CASES if "weights" in n or "constant" in n or "nbits" in n or "per_channel" in n]


@pytest.mark.parametrize("name", [*PRODUCTS, "dynamic_quantize_matmul", "matmul_integer_to_float", "qgemm"])
def test_constant_weights_of_integer_products_are_on_arrays(tools, name):
    build, kind, opset, _, _ = CASES[name]
    m = Model(seed=1)
    program = tools.compile(m.build(build(m), kind, opset))
    report = tools.folder / "report.json"
    tools.execute(program, m.feeds, "--ideal", f"--report={report}")
    assert json.loads(report.read_text())["arrays"]["used"] >= 1
