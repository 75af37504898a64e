"""Constant weights reach arrays from wherever a model keeps them, and one matrix is programmed once. Values against ONNX
Runtime, places as `mhoc --explain` tells them."""

import re

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphs import Graph
from harness import reference, relative_error

MS = "com.microsoft"


def typed(graph, values, kind):
    """An initializer of a type that NumPy lacks."""
    name = f"t{len(graph.weights)}"
    graph.weights.append(helper.make_tensor(name, kind, values.shape, values.flatten().tolist()))
    return name


# --- forms ---------------------------------------------------------------------

FORMS = {}


def form(opset=21, tolerance=2e-5):
    def register(build):
        FORMS[build.__name__] = (build, opset, tolerance)
        return build

    return register


@form()
def conv_transpose(g):
    return g("ConvTranspose", g.input(1, 6, 7, 5), g.weight(6, 9, 3, 3), g.weight(9), strides=[2, 2], pads=[1, 0, 1, 1])


@form()
def conv_transpose_groups(g):
    return g("ConvTranspose", g.input(2, 6, 7), g.weight(6, 5, 4), strides=[3], group=2, output_padding=[1])


@form()
def conv_transpose_dilated(g):
    return g("ConvTranspose", g.input(1, 4, 6, 6), g.weight(4, 3, 3, 2), dilations=[2, 1], auto_pad="SAME_UPPER")


def einsum(equation, x, w, right=True):
    def build(g):
        a, b = g.input(*x), g.weight(*w)
        return g("Einsum", *((a, b) if right else (b, a)), equation=equation)

    build.__name__ = "einsum_" + re.sub(r"\W+", "_", equation) + ("" if right else "_left")
    form()(build)


einsum("bij,jk->bik", (3, 5, 7), (7, 9))
einsum("bij,kj->bik", (3, 5, 7), (9, 7))
einsum("ij,bjk->bik", (5, 3, 7), (4, 3), right=False)
einsum("bsd,dhk->bhsk", (2, 5, 7), (7, 3, 4))
einsum("bhsk,hkd->bsd", (2, 3, 5, 4), (3, 4, 7))
einsum("...j,jk", (3, 5, 7), (7, 9))
einsum("...j,kj->...k", (2, 3, 5, 7), (9, 7))
einsum("bnd,ndk->bnk", (3, 4, 7), (4, 7, 5))
einsum("i,ij->j", (7,), (7, 9))
einsum("bij,ij->b", (3, 5, 7), (5, 7))


@form()
def attention_packed(g):
    """com.microsoft.Attention: q, k and v are one matrix."""
    return g("Attention", g.input(2, 5, 12), g.weight(12, 36), g.weight(36), domain=MS, num_heads=3)


@form()
def attention_packed_sizes(g):
    return g(
        "Attention",
        g.input(2, 5, 12),
        g.weight(12, 12 + 12 + 18),
        g.weight(42),
        domain=MS,
        num_heads=3,
        qkv_hidden_sizes=[12, 12, 18],
    )


@form(opset=23)
def attention_with_projections(g):
    x = g.input(2, 5, 12)
    q, k, v = (g("MatMul", x, g.weight(12, 12)) for _ in range(3))
    y = g("Attention", q, k, v, q_num_heads=3, kv_num_heads=3)
    return g("MatMul", y, g.weight(12, 12))


@form()
def attention_split_projection(g):
    """One product, split three ways."""
    qkv = g("MatMul", g.input(2, 5, 12), g.weight(12, 36))
    q, k, v = g("Split", qkv, outputs=3, axis=2, num_outputs=3)
    scores = g("Softmax", g("MatMul", q, g("Transpose", k, perm=[0, 2, 1])))
    return g("Gemm", g("Reshape", g("MatMul", scores, v), g.int64(10, 12)), g.weight(7, 12), g.weight(7), transB=1)


def recurrent(kind, gates, **attributes):
    def build(g):
        both = 2 if attributes.get("direction") == "bidirectional" else 1
        rows = gates * 9
        operands = [g.input(4, 2, 7), g.weight(both, rows, 7), g.weight(both, rows, 9), g.weight(both, 2 * rows)]
        return g(kind, *operands, outputs=2, hidden_size=9, **attributes)[0]

    build.__name__ = "_".join([kind.lower(), *(str(value) for value in attributes.values())])
    form()(build)


recurrent("LSTM", 4)
recurrent("LSTM", 4, direction="bidirectional")
recurrent("GRU", 3)
recurrent("GRU", 3, linear_before_reset=1)
recurrent("RNN", 1, direction="reverse")


def few_bits(bits, block=32, zeros=None, groups=None, rows=70, columns=11):
    def build(g):
        blocks = -(-rows // block)
        packed = g.rng.integers(0, 256, (columns, blocks, block * bits // 8), dtype=np.uint8)
        operands = [
            g.input(3, rows),
            g.weight(values=packed),
            g.weight(values=g.rng.uniform(0.01, 0.05, columns * blocks).astype(np.float32)),
        ]
        if zeros == "packed":
            size = columns * -(-blocks * bits // 8)
            operands.append(g.weight(values=g.rng.integers(0, 256, size, dtype=np.uint8)))
        elif zeros == "float":
            operands.append(g.weight(values=g.random(columns * blocks)))
        if groups:
            index = np.arange(rows) // block if groups == "own" else g.rng.integers(0, blocks, rows)
            operands += [""] * (4 - len(operands)) + [g.weight(values=index.astype(np.int32))]
        return g("MatMulNBits", *operands, domain=MS, K=rows, N=columns, bits=bits, block_size=block)

    name = [f"few_bits_{bits}", str(block), zeros or "", groups or ""]
    build.__name__ = "_".join(part for part in name if part)
    # ONNX Runtime may quantize the input as well unless told not to.
    form(tolerance=1e-4)(build)


few_bits(4)
few_bits(4, zeros="packed")
few_bits(4, block=16, zeros="float")
few_bits(4, groups="own")
# With groups of its own ONNX Runtime ignores zero points, and reads behind the end of a block that is not whole.
few_bits(4, groups="any", rows=96)
few_bits(8)
few_bits(8, block=16, zeros="packed")


def dequantized(kind, numpy_kind=None, axis=None, block=None, zero=True, turned=False, shape=(48, 20)):
    def build(g):
        if numpy_kind is None:
            low, high = {
                TensorProto.INT4: (-8, 8),
                TensorProto.UINT4: (0, 16),
                TensorProto.INT8: (-127, 128),
                TensorProto.UINT8: (0, 256),
            }[kind]
            values = g.rng.integers(low, high, shape)
        else:
            values = g.random(*shape).astype(numpy_kind)
        if block:
            scales = list(shape)
            scales[axis] = -(-shape[axis] // block)
        else:
            scales = [] if axis is None else [shape[axis]]
        operands = [
            typed(g, values, kind),
            g.weight(values=np.asarray(g.rng.uniform(0.01, 0.05, scales), np.float32)),
        ]
        if zero and numpy_kind is None:
            operands.append(typed(g, np.asarray(g.rng.integers(max(low, -5), min(high, 6), scales)), kind))
        attributes = {} if axis is None else {"axis": axis}
        if block:
            attributes["block_size"] = block
        w = g("DequantizeLinear", *operands, **attributes)
        if turned:
            return g("MatMul", g.input(3, shape[1]), g("Transpose", w, perm=[1, 0]))
        return g("MatMul", g.input(3, shape[0]), w)

    parts = ["dequantized", TensorProto.DataType.Name(kind).lower(), "" if axis is None else f"axis{axis}"]
    parts += [f"block{block}" if block else "", "" if zero else "no_zero", "turned" if turned else "", str(shape[0])]
    build.__name__ = "_".join(part for part in parts if part)
    form()(build)


# The larger ones are not folded when they are read but computed when the image is written.
for size in (48, 1500):
    dequantized(TensorProto.INT8, axis=1, shape=(size, 20))
    dequantized(TensorProto.UINT8, shape=(size, 20))
    dequantized(TensorProto.INT4, axis=1, shape=(size, 20), turned=True)
    dequantized(TensorProto.UINT4, axis=0, block=16, shape=(size // 16 * 16, 20))
    dequantized(TensorProto.INT8, axis=0, block=7, shape=(size, 20))
    dequantized(TensorProto.INT4, axis=1, block=10, zero=False, shape=(size, 20), turned=True)
    dequantized(TensorProto.FLOAT8E4M3FN, ml_dtypes.float8_e4m3fn, axis=1, shape=(size, 20))
    dequantized(TensorProto.FLOAT8E5M2, ml_dtypes.float8_e5m2, shape=(size, 20), turned=True)


@form()
def convolution_dequantized(g):
    values = g.rng.integers(-127, 128, (16, 40, 3, 3))
    scale = g.weight(values=g.rng.uniform(0.001, 0.005, 16).astype(np.float32))
    w = g("DequantizeLinear", typed(g, values, TensorProto.INT8), scale, axis=0)
    return g("Conv", g.input(1, 40, 6, 5), w, g.weight(16), pads=[1, 1, 1, 1])


# --- chains ----------------------------------------------------------------------


@form()
def behind_casts(g):
    half = g.weight(values=g.random(60, 40).astype(np.float16))
    return g("MatMul", g.input(3, 60), g("Cast", half, to=TensorProto.FLOAT))


@form()
def behind_cast_transpose_identity(g):
    half = g.weight(values=g.random(400, 60).astype(np.float16))
    w = g("Identity", g("Transpose", g("Cast", g("Identity", half), to=TensorProto.FLOAT), perm=[1, 0]))
    return g("MatMul", g.input(3, 60), w)


@form()
def behind_reshape_transpose(g):
    w = g("Reshape", g("Transpose", g.weight(6, 40, 70), perm=[1, 0, 2]), g.int64(240, 70))
    return g("MatMul", g.input(3, 240), w)


@form()
def behind_slices_and_concat(g):
    w = g.weight(200, 300)
    a = g("Slice", w, g.int64(0), g.int64(100), g.int64(0))
    b = g("Slice", w, g.int64(100), g.int64(200), g.int64(0))
    return g("MatMul", g.input(3, 200), g("Concat", b, a, axis=0))


@form()
def behind_pad(g):
    return g("MatMul", g.input(3, 70), g("Pad", g.weight(60, 300), g.int64(5, 0, 5, 2)))


@form()
def behind_scale(g):
    """Weights times a constant, as exporters leave weight normalisation."""
    w = g("Mul", g.weight(300, 100), g.weight(1, 100))
    return g("MatMul", g.input(3, 300), w)


@form()
def behind_strided_slice(g):
    w = g("Slice", g.weight(200, 300), g.int64(0), g.int64(200), g.int64(0), g.int64(2))
    return g("MatMul", g.input(3, 100), w)


@form()
def behind_constant_condition(g):
    w = numpy_helper.from_array(g.random(50, 30), "own")
    then = helper.make_graph(
        [helper.make_node("Constant", [], ["chosen"], value=w)],
        "then",
        [],
        [helper.make_tensor_value_info("chosen", TensorProto.FLOAT, [50, 30])],
    )
    other = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["zeros"], ["none"])],
        "else",
        [],
        [helper.make_tensor_value_info("none", TensorProto.FLOAT, [50, 30])],
        [numpy_helper.from_array(np.int64([50, 30]), "zeros")],
    )
    condition = g.weight(values=np.array(True))
    return g("MatMul", g.input(3, 50), g("If", condition, then_branch=then, else_branch=other))


@form()
def on_the_left(g):
    return g("MatMul", g.weight(40, 60), g.input(60, 3))


@form()
def on_the_left_turned(g):
    return g("Gemm", g.weight(60, 40), g.input(3, 60), g.weight(40, 1), transA=1, transB=1)


@form()
def stacked(g):
    return g("MatMul", g.input(4, 3, 30), g.weight(4, 30, 20))


@form()
def stacked_twice(g):
    return g("MatMul", g.input(2, 3, 5, 30), g.weight(2, 3, 30, 20))


@form()
def stacked_on_the_left(g):
    return g("MatMul", g.weight(4, 20, 30), g.input(4, 30, 3))


# --- what is checked ---------------------------------------------------------------


def static_products(tools, model, target):
    """Multiply-accumulates of a run with constant weights, on arrays and elsewhere, and the whole explanation."""
    onnx.save(model, tools.folder / "m.onnx")
    out = tools.succeed("mhoc", tools.folder / "m.onnx", "--explain", f"--target={target}").out
    analog, digital = re.search(r"static multiply-accumulates a run: (\d+) analog, (\d+) digital", out).groups()
    return int(analog), int(digital), out


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", FORMS)
def test_form(tools, name, target):
    build, opset, tolerance = FORMS[name]
    graph = Graph(seed=len(name), opset=opset)
    output = build(graph)
    model = graph.model(output, check=False)
    model.ir_version = 10
    wanted = reference(model, graph.feeds)[output]
    analog, digital, out = static_products(tools, model, target)
    assert analog >= 99 * digital, out
    # All weights count, but for those that a slice leaves out or bytes that hold two.
    assert analog >= max(np.prod(w.dims) for w in graph.weights) // 2, out
    got = tools.execute(tools.compile(model, target=target), graph.feeds, "--ideal")[output]
    assert relative_error(got, wanted) <= tolerance


# --- one matrix, several uses --------------------------------------------------------

TIED = {}


def tied(banks=1, opset=21):
    def register(build):
        TIED[build.__name__] = (build, banks, opset)
        return build

    return register


@tied()
def embedding_and_head(g):
    """The vocabulary's matrix is a table in front and the product at the end."""
    table = g.weight(300, 40)
    x = g("Gather", table, g.input(values=np.int64([[5, 299, 0]])))
    return g("MatMul", g("Tanh", x), g("Transpose", table, perm=[1, 0]))


@tied()
def embedding_and_head_of_few_bits(g):
    table = typed(g, g.rng.integers(-127, 128, (3000, 40)), TensorProto.INT8)
    scale = g.weight(values=g.rng.uniform(0.001, 0.01, 3000).astype(np.float32))
    w = g("DequantizeLinear", table, scale, axis=0)
    x = g("Gather", w, g.input(values=np.int64([[5, 2999, 0]])))
    return g("MatMul", g("Tanh", x), g("Transpose", w, perm=[1, 0]))


@tied()
def two_products(g):
    w = g.weight(40, 40)
    return g("MatMul", g("Tanh", g("MatMul", g.input(3, 40), w)), w)


@tied()
def two_spellings(g):
    w = g.weight(40, 40)
    x = g("Tanh", g("Gemm", g.input(3, 40), w, transB=1))
    return g("MatMul", x, g("Transpose", w, perm=[1, 0]))


@tied()
def two_biases(g):
    w = g.weight(40, 40)
    x = g("Tanh", g("Gemm", g.input(3, 40), w, g.weight(40)))
    return g("Gemm", x, w, g.weight(40))


@tied()
def two_casts(g):
    half = g.weight(values=g.random(300, 300).astype(np.float16))
    x = g("MatMul", g.input(3, 300), g("Cast", half, to=TensorProto.FLOAT))
    return g("MatMul", g("Tanh", x), g("Cast", half, to=TensorProto.FLOAT))


@tied()
def dequantized_twice(g):
    values = typed(g, g.rng.integers(-8, 8, (300, 300)), TensorProto.INT4)
    scale = g.weight(values=g.rng.uniform(0.01, 0.05, 300).astype(np.float32))
    x = g("MatMul", g.input(3, 300), g("DequantizeLinear", values, scale, axis=1))
    return g("MatMul", g("Tanh", x), g("DequantizeLinear", values, scale, axis=1))


@tied()
def both_branches(g):
    w, x = g.weight(40, 40), g.input(3, 40)

    def side(name, kind):
        made = [helper.make_node("MatMul", [x, w], [f"{name}_p"]), helper.make_node(kind, [f"{name}_p"], [f"{name}_y"])]
        return helper.make_graph(
            made, name, [], [helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, [3, 40])]
        )

    condition = g.input(values=np.array(True))
    return g("If", condition, then_branch=side("then", "Tanh"), else_branch=side("other", "Relu"))


@tied()
def in_and_behind_a_loop(g):
    w, x = g.weight(40, 40), g.input(3, 40)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("MatMul", ["state", w], ["p"]),
            helper.make_node("Tanh", ["p"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [3, 40]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [3, 40]),
        ],
    )
    y = g("Loop", g.weight(values=np.array(3)), "", x, body=body)
    return g("MatMul", y, w)


@tied(banks=2)
def both_ways(g):
    """An array gives rows times matrix only: the transposed one is another."""
    w = g.weight(40, 40)
    x = g("Tanh", g("MatMul", g.input(3, 40), w))
    return g("MatMul", x, g("Transpose", w, perm=[1, 0]))


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", TIED)
def test_tied(tools, name, target):
    build, banks, opset = TIED[name]
    graph = Graph(seed=len(name), opset=opset)
    output = build(graph)
    model = graph.model(output, check=False)
    model.ir_version = 10
    wanted = reference(model, graph.feeds)[output]
    onnx.save(model, tools.folder / "m.onnx")
    text = tools.succeed("mhoc", tools.folder / "m.onnx", "--compile-to=placed", "-o", "-", f"--target={target}").out
    assert text.count("analog.bank @") == banks
    got = tools.execute(tools.compile(model, target=target), graph.feeds, "--ideal")[output]
    assert relative_error(got, wanted) <= 2e-5


# --- what is stored in few bits and read elsewhere -------------------------------------

ELSEWHERE = {}


def elsewhere(build):
    ELSEWHERE[build.__name__] = build
    return build


@elsewhere
def gathered(g):
    table = typed(g, g.rng.integers(-8, 8, (3000, 41)), TensorProto.INT4)
    w = g("DequantizeLinear", table, g.weight(values=g.rng.uniform(0.1, 1, 41).astype(np.float32)), axis=1)
    return g("Gather", w, g.input(values=np.int64([5, 2999, 0])))


@elsewhere
def added(g):
    table = typed(g, g.rng.integers(0, 16, (301, 99)), TensorProto.UINT4)
    w = g("DequantizeLinear", table, g.weight(values=np.float32(0.3)), typed(g, np.array(7), TensorProto.UINT4))
    return g("Add", g("Transpose", w, perm=[1, 0]), g.input(99, 301))


@elsewhere
def cast_and_sliced(g):
    wide = g("Cast", typed(g, g.rng.integers(-8, 8, (301, 99)), TensorProto.INT4), to=TensorProto.INT8)
    return g("Add", g("Slice", wide, g.int64(3), g.int64(300), g.int64(0), g.int64(2)), g.input(values=np.int8([1])))


@elsewhere
def joined(g):
    low = typed(g, g.rng.integers(-8, 8, (301, 99)), TensorProto.INT4)
    half = g.weight(values=np.asarray(g.rng.uniform(0.1, 1, 301), np.float16))
    w = g("DequantizeLinear", low, half, axis=0)
    return g("Concat", w, g.input(values=g.random(5, 99).astype(np.float16)), axis=0)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_few_bits_elsewhere(tools, name):
    """Constants that no array reads: tables, terms, parts of results."""
    graph = Graph(seed=len(name), opset=21)
    output = ELSEWHERE[name](graph)
    model = graph.model(output)
    model.ir_version = 10
    wanted = reference(model, graph.feeds)[output]
    got = tools.execute(tools.compile(model, target="ideal"), graph.feeds, "--ideal")[output]
    np.testing.assert_allclose(got.astype(np.float64), wanted.astype(np.float64), rtol=1e-6)
