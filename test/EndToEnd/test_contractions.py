"""Einsum, Fourier transforms, attention, losses, determinants and draws, against
ONNX Runtime or ONNX's evaluator."""

import numpy as np
import pytest
from onnx import TensorProto
from oracle import check

from graphs import Graph

EINSUMS = {
    "ij,jk->ik": [(3, 5), (5, 7)],
    "ij,kj": [(3, 5), (7, 5)],
    "bij,bjk->bik": [(2, 3, 5), (2, 5, 4)],
    "bhid,bhjd->bhij": [(2, 3, 4, 5), (2, 3, 6, 5)],
    "bfd,dhk->bfhk": [(2, 3, 8), (8, 2, 4)],
    "i,j->ij": [(3,), (4,)],
    "i,i->": [(5,), (5,)],
    "ii->i": [(4, 4)],
    "iji->j": [(3, 5, 3)],
    "ijk->ki": [(2, 3, 4)],
    "ij->": [(3, 4)],
    "...ij,...jk->...ik": [(2, 3, 4, 5), (3, 5, 2)],
    "...ij->...ji": [(2, 3, 4)],
    "ab,bc,cd->ad": [(2, 3), (3, 4), (4, 5)],
    "abc,ab->c": [(2, 3, 4), (2, 3)],
    "ab,ab->ab": [(3, 4), (3, 4)],
    "ab,cb->abc": [(3, 4), (5, 4)],
    "Ab,bA->A": [(3, 4), (4, 3)],
    "bij,bij->b": [(2, 3, 5), (2, 3, 5)],
}


@pytest.mark.parametrize("equation", EINSUMS)
def test_einsum(tools, equation):
    graph = Graph(len(equation), opset=12)
    y = graph("Einsum", *[graph.input(*shape) for shape in EINSUMS[equation]], equation=equation)
    check(tools, graph, y, runtime=False)


@pytest.mark.parametrize("equation, weights", [("bfd,dhk->bfhk", (8, 2, 4)), ("hkd,bfd->bfhk", (2, 4, 8))])
def test_einsum_with_weights_is_stationary(tools, equation, weights):
    graph = Graph(opset=12)
    operands = [graph.weight(*weights), graph.input(2, 3, 8)]
    y = graph("Einsum", *(operands if equation.startswith("hkd") else operands[::-1]), equation=equation)
    check(tools, graph, y, target="hermes")
    report = tools.succeed("mhoc", "model.onnx", "--target=hermes", "--explain", "-o", "e.mho")
    assert "0 of 1" not in report.out + report.err
    text = tools.succeed("mhoc", "model.onnx", "--target=hermes", "--compile-to=analog", "-o", "-").out
    assert text.count("analog.matmul") == 1


@pytest.mark.parametrize("dtype", [np.int32, np.float64])
def test_einsum_of_other_types(tools, dtype):
    graph = Graph(opset=12)
    a, b = (graph.input(values=(graph.random(*shape) * 9).astype(dtype)) for shape in [(3, 5), (5, 2)])
    check(tools, graph, graph("Einsum", a, b, equation="ij,jk->ik"), rtol=1e-12, runtime=False)


@pytest.mark.parametrize("length", [1, 2, 5, 16, 37, 300, 1024])
@pytest.mark.parametrize("parts", [1, 2])
def test_fourier_transforms(tools, length, parts):
    graph = Graph(length, opset=20)
    x = graph.input(2, length, parts)
    outputs = [graph("DFT", x), graph("DFT", x, inverse=1)]
    if parts == 1:
        outputs.append(graph("DFT", x, onesided=1))
    check(tools, graph, *outputs, rtol=1e-4, atol=2e-6 * length, runtime=False)


def test_fourier_transform_padded_cut_and_inverted(tools):
    graph = Graph(opset=20)
    x = graph.input(3, 7, 4, 2)
    size, axis = (lambda value: graph.weight(values=np.array(value, np.int64))), graph.weight(values=np.array(1))
    outputs = [graph("DFT", x, size(10), axis), graph("DFT", x, size(5), axis, inverse=1)]
    half = graph.input(2, 6, 2)
    outputs += [graph("DFT", half, inverse=1, onesided=1), graph("DFT", half, size(9), inverse=1, onesided=1)]
    check(tools, graph, *outputs, rtol=1e-4, atol=1e-5, runtime=False)


@pytest.mark.parametrize("onesided", [0, 1])
def test_short_time_fourier_transform(tools, onesided):
    graph = Graph(opset=17)
    step = graph.weight(values=np.array(5, np.int64))
    y = graph("STFT", graph.input(2, 50, 1), step, graph.weight(16), onesided=onesided)
    check(tools, graph, y, rtol=1e-4, atol=1e-5, runtime=False)


@pytest.mark.parametrize("kind", ["HannWindow", "HammingWindow", "BlackmanWindow"])
def test_windows(tools, kind):
    graph = Graph(opset=17)
    size = graph.weight(values=np.array(11, np.int64))
    kinds = [graph(kind, size), graph(kind, size, periodic=0), graph(kind, size, output_datatype=TensorProto.DOUBLE)]
    x = graph.input(1)
    check(tools, graph, *kinds[1:], graph("Mul", kinds[0], x), rtol=1e-5, atol=1e-7, runtime=False)


def test_mel_filters(tools):
    graph = Graph(opset=17)
    numbers = [graph.weight(values=np.array(value)) for value in (8, 64, 8000)]
    edges = [graph.weight(values=np.float32(value)) for value in (20, 3800)]
    y = graph("Mul", graph("MelWeightMatrix", *numbers, *edges), graph.input(1))
    check(tools, graph, y, runtime=False)


ATTENTIONS = dict(
    plain=dict(),
    scaled=dict(scale=0.3, softcap=2.0),
    causal=dict(is_causal=1),
    grouped=dict(kv_heads=2),
    grouped_causal_3d=dict(kv_heads=1, packed=True, is_causal=1),
    packed=dict(packed=True, value_size=6),
    bias=dict(mask=(4, 5, 7)),
    bool_mask=dict(mask=(5, 7), bools=True),
    short_mask=dict(mask=(2, 1, 5, 6), bools=True),
    past=dict(past=3, is_causal=1),
    past_grouped=dict(past=3, kv_heads=2, mask=(5, 10)),
    window=dict(left_window_size=2, right_window_size=1),
    causal_window=dict(left_window_size=1, is_causal=1, past=2),
    valid=dict(valid=[3, 7], is_causal=1),
    before_mask=dict(qk_matmul_output_mode=1, softcap=2.0, mask=(5, 7)),
    after_mask=dict(qk_matmul_output_mode=2, mask=(5, 7)),
    after_softmax=dict(qk_matmul_output_mode=3, is_causal=1),
)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention(tools, name):
    graph = Graph(len(name), opset=25)
    options = dict(ATTENTIONS[name])
    heads, kv_heads, packed = 4, options.pop("kv_heads", 4), options.pop("packed", False)
    size, value_size, past = 8, options.pop("value_size", 8), options.pop("past", 0)
    mask, bools, valid = options.pop("mask", None), options.pop("bools", False), options.pop("valid", None)

    def tensor(count, length, width):
        return graph.input(2, length, count * width) if packed else graph.input(2, count, length, width)

    inputs = [tensor(heads, 5, size), tensor(kv_heads, 7, size), tensor(kv_heads, 7, value_size)]
    if mask:
        values = graph.random(*mask)
        if bools:
            values = values > 0
            values[..., 0, :] = False
        inputs.append(graph.input(values=values))
    else:
        inputs.append("")
    inputs += [graph.input(2, kv_heads, past, width) for width in (size, value_size)] if past else ["", ""]
    if valid:
        inputs.append(graph.input(values=np.array(valid)))
    if packed:
        options |= dict(q_num_heads=heads, kv_num_heads=kv_heads)
    while inputs[-1] == "":
        inputs.pop()
    wants_scores = "qk_matmul_output_mode" in options
    outputs = graph("Attention", *inputs, outputs=4 if wants_scores else 3 if past else 1, **options)
    outputs = [outputs] if isinstance(outputs, str) else outputs
    if wants_scores:
        outputs = [outputs[0], outputs[3]]
    check(tools, graph, *outputs, rtol=1e-4, atol=1e-6, runtime=False)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("width", [0, 4])
def test_rotary_embedding(tools, interleaved, width):
    graph = Graph(opset=23)
    half = (width or 8) // 2
    tables = [graph.weight(20, half), graph.weight(20, half)]
    places = graph.input(values=graph.rng.integers(0, 20, (2, 3)))
    options = dict(interleaved=interleaved, rotary_embedding_dim=width)
    outputs = [
        graph("RotaryEmbedding", graph.input(2, 5, 3, 8), *tables, places, **options),
        graph("RotaryEmbedding", graph.input(2, 3, 40), *tables, places, num_heads=5, **options),
        graph("RotaryEmbedding", graph.input(2, 5, 3, 8), graph.input(2, 3, half), graph.input(2, 3, half), **options),
    ]
    check(tools, graph, *outputs, runtime=False)


def test_causal_convolution(tools):
    graph = Graph(opset=27)
    x, w, bias, past = graph.input(2, 3, 9), graph.weight(3, 1, 4), graph.weight(3), graph.input(2, 3, 3)
    outputs = graph("CausalConvWithState", x, w, bias, past, outputs=2, activation="silu")
    outputs += graph("CausalConvWithState", x, w, outputs=2)
    check(tools, graph, *outputs, runtime=False)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
def test_losses(tools, reduction, weighted):
    graph = Graph(opset=13)
    weights = [graph.weight(values=np.abs(graph.random(5)) + 0.1)] if weighted else []
    labels = graph.input(values=graph.rng.integers(0, 5, (3, 4)))
    flat = graph.input(values=graph.rng.integers(0, 5, (3,)))
    outputs = [
        graph("NegativeLogLikelihoodLoss", graph.input(3, 5, 4), labels, *weights, reduction=reduction),
        graph("NegativeLogLikelihoodLoss", graph.input(3, 5), flat, *weights, reduction=reduction, ignore_index=2),
        graph("SoftmaxCrossEntropyLoss", graph.input(3, 5), flat, *weights, reduction=reduction),
        *graph("SoftmaxCrossEntropyLoss", graph.input(3, 5, 4), labels, *weights, outputs=2, reduction=reduction),
    ]
    check(tools, graph, *outputs, rtol=2e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 5, 5), (2, 3, 4, 4), (9, 9)])
def test_determinants(tools, shape):
    graph = Graph(len(shape), opset=11)
    check(tools, graph, graph("Det", graph.input(*shape)), rtol=1e-4, atol=1e-5, runtime=False)


def test_determinants_need_pivots(tools):
    graph = Graph(opset=11)
    x = np.float32([[[0, 1], [1, 0]], [[0, 0], [1, 2]], [[1, 2], [2, 4]]])
    y = graph("Det", graph.input(values=x))
    got = tools.execute(tools.compile(graph.model(y), target="ideal"), graph.feeds, "--ideal")[y]
    np.testing.assert_array_equal(got, [-1, 0, 0])


def test_gemm_of_integers(tools):
    graph = Graph(opset=13)
    draw = [graph.input(values=graph.rng.integers(-9, 9, shape).astype(np.int32)) for shape in [(4, 3), (4, 5), (5,)]]
    check(tools, graph, graph("Gemm", *draw, transA=1, beta=2.0), runtime=False)


def test_draws_follow_their_distribution_and_stay(tools):
    graph = Graph(opset=22)
    x = graph.input(values=np.full((100, 100), 0.3, np.float32))
    outputs = [
        graph("RandomNormalLike", x, mean=2.0, scale=3.0, seed=1.0),
        graph("RandomUniformLike", x, low=-1.0, high=3.0, seed=2.0, dtype=TensorProto.DOUBLE),
        graph("Bernoulli", x, seed=3.0),
        graph("RandomNormal", shape=[50, 50]),
        graph("Multinomial", graph.input(values=np.log(np.float32([[1, 2, 7]]))), sample_size=4000, seed=4.0),
    ]
    program = tools.compile(graph.model(*outputs), target="ideal")
    first, second = (tools.execute(program, graph.feeds, "--ideal") for _ in range(2))
    for name in outputs:
        np.testing.assert_array_equal(first[name], second[name])
    normal, uniform, coin, free, classes = (first[name] for name in outputs)
    assert abs(normal.mean() - 2) < 0.1 and abs(normal.std() - 3) < 0.1
    assert uniform.dtype == np.float64 and uniform.min() >= -1 and uniform.max() < 3
    assert abs(uniform.mean() - 1) < 0.05 and abs(coin.mean() - 0.3) < 0.02
    assert abs(free.mean()) < 0.1 and abs(free.std() - 1) < 0.1
    assert classes.dtype == np.int32
    np.testing.assert_allclose(np.bincount(classes[0], minlength=3) / 4000, [0.1, 0.2, 0.7], atol=0.03)
