"""Operators of domain com.microsoft in odd shapes, without noise, against ONNX Runtime."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphs import Graph
from harness import reference, relative_error

CASES = {}
F32 = np.float32


def case(function):
    CASES[function.__name__] = function
    return function


def cases(**builders):
    CASES.update(builders)


def ms(g, kind, *inputs, **attributes):
    return g(kind, *inputs, domain="com.microsoft", **attributes)


def ids(g, *shape, high):
    return g.input(values=g.rng.integers(0, high, shape).astype(np.int32))


# --- activations and sums -----------------------------------------------------

cases(
    gelu=lambda g: ms(g, "Gelu", g.input(3, 7)),
    bias_gelu=lambda g: ms(g, "BiasGelu", g.input(2, 3, 7), g.weight(7)),
    fast_gelu=lambda g: ms(g, "FastGelu", g.input(2, 3, 7)),
    fast_gelu_bias=lambda g: ms(g, "FastGelu", g.input(2, 3, 7), g.weight(7)),
    quick_gelu=lambda g: ms(g, "QuickGelu", g.input(5, 7)),
    quick_gelu_alpha=lambda g: ms(g, "QuickGelu", g.input(5, 7), alpha=0.7),
)

# --- products -----------------------------------------------------------------

cases(
    fused_matmul=lambda g: ms(g, "FusedMatMul", g.input(3, 37), g.weight(37, 19), alpha=0.5),
    fused_matmul_transposed=lambda g: ms(g, "FusedMatMul", g.input(37, 3), g.weight(19, 37), transA=1, transB=1),
    transpose_matmul=lambda g: ms(g, "TransposeMatMul", g.input(37, 3), g.weight(37, 19), transA=1, alpha=0.5),
    fused_matmul_of_two=lambda g: ms(g, "FusedMatMul", g.input(2, 3, 5, 7), g.input(2, 3, 4, 7), alpha=0.3, transB=1),
    fused_matmul_batches=lambda g: ms(
        g, "FusedMatMul", g.input(5, 2, 3, 7), g.input(7, 2, 3, 4), transBatchA=1, transBatchB=1
    ),
    fused_gemm=lambda g: ms(
        g, "FusedGemm", g.input(3, 11), g.weight(6, 11), g.weight(6), transB=1, alpha=0.5, beta=2.0, activation="Relu"
    ),
    fused_gemm_leaky=lambda g: ms(
        g, "FusedGemm", g.input(3, 11), g.weight(11, 6), g.weight(6), activation="LeakyRelu", activation_alpha=0.2
    ),
    fused_conv=lambda g: ms(
        g, "FusedConv", g.input(1, 3, 9, 7), g.weight(5, 3, 3, 3), g.weight(5), pads=[1] * 4, activation="Relu"
    ),
    fused_conv_clip=lambda g: ms(
        g,
        "FusedConv",
        g.input(1, 3, 9, 7),
        g.weight(5, 3, 3, 3),
        g.weight(5),
        strides=[2, 1],
        activation="Clip",
        activation_params=[-0.2, 0.7],
    ),
    fused_conv_sum=lambda g: ms(
        g,
        "FusedConv",
        g.input(1, 3, 9, 7),
        g.weight(5, 3, 3, 3),
        g.weight(5),
        g.input(1, 5, 7, 5),
        activation="HardSigmoid",
        activation_params=[0.3, 0.4],
    ),
)

# --- normalizations -----------------------------------------------------------

cases(
    simplified_layer_norm=lambda g: g("SimplifiedLayerNormalization", g.input(2, 3, 7), g.weight(7), epsilon=1e-4),
    simplified_layer_norm_axis=lambda g: g("SimplifiedLayerNormalization", g.input(2, 3, 7), g.weight(3, 7), axis=1),
    skip_layer_norm=lambda g: ms(
        g, "SkipLayerNormalization", g.input(2, 3, 7), g.input(2, 3, 7), g.weight(7), g.weight(7), epsilon=1e-5
    ),
    skip_simplified=lambda g: ms(
        g, "SkipSimplifiedLayerNormalization", g.input(2, 3, 7), g.input(2, 3, 7), g.weight(7), g.weight(7)
    ),
)


@case
def skip_layer_norm_sum(g):
    names = g(
        "SkipLayerNormalization",
        g.input(2, 3, 7),
        g.input(3, 7),
        g.weight(7),
        "",
        g.weight(7),
        outputs=4,
        domain="com.microsoft",
    )
    g.nodes[-1].output[1] = g.nodes[-1].output[2] = ""
    return names[0], names[3]


def embeddings(g, mask=False, positions=False, segments=True):
    inputs = [
        ids(g, 2, 5, high=11),
        ids(g, 2, 5, high=2) if segments else "",
        g.weight(11, 7),
        g.weight(9, 7),
        g.weight(2, 7) if segments else "",
        g.weight(7),
        g.weight(7),
    ]
    if mask or positions:
        inputs.append(g.input(values=np.int32([[1, 1, 1, 0, 0], [1] * 5])) if mask else "")
    if positions:
        inputs.append(ids(g, 2, 5, high=9))
    names = g("EmbedLayerNormalization", *inputs, outputs=3, domain="com.microsoft", mask_index_type=int(mask))
    return names if mask else (names[0], names[2])


cases(
    embed_layer_norm=lambda g: embeddings(g),
    embed_layer_norm_mask=lambda g: embeddings(g, mask=True),
    embed_layer_norm_positions=lambda g: embeddings(g, positions=True, segments=False),
)

# --- attention ----------------------------------------------------------------


def attention(g, *more, heads=3, width=12, sizes=None, length=5, **attributes):
    columns = sum(sizes) if sizes else 3 * width
    if sizes:
        attributes["qkv_hidden_sizes"] = sizes
    inputs = [g.input(2, length, 7), g.weight(7, columns), g.weight(columns), *more]
    return ms(g, "Attention", *inputs, num_heads=heads, **attributes)


cases(
    attention=lambda g: attention(g),
    attention_scale=lambda g: attention(g, scale=0.3),
    attention_sizes=lambda g: attention(g, sizes=[12, 12, 18]),
    attention_causal=lambda g: attention(g, unidirectional=1),
    attention_mask=lambda g: attention(g, g.input(values=np.int32([[1, 1, 1, 0, 0], [1] * 5]))),
    attention_mask_causal=lambda g: attention(
        g, g.input(values=np.int32([[1, 1, 1, 0, 0], [1] * 5])), unidirectional=1
    ),
    attention_mask_square=lambda g: attention(g, g.input(values=(g.rng.random((2, 5, 5)) < 0.7).astype(np.int32))),
    attention_ends=lambda g: attention(g, g.input(values=np.int32([3, 5]))),
    attention_ends_and_starts=lambda g: attention(g, g.input(values=np.int32([4, 5, 1, 0]))),
    attention_filter=lambda g: attention(
        g, g.input(values=np.int32([[1, 1, 1, 0, 0], [1] * 5])), mask_filter_value=-3.0
    ),
    attention_bias=lambda g: attention(g, "", "", g.input(1, 3, 5, 5)),
)


@case
def attention_past(g):
    past = g.input(2, 2, 3, 4, 4)
    inputs = [g.input(2, 3, 7), g.weight(7, 36), g.weight(36), "", past]
    return g("Attention", *inputs, outputs=2, domain="com.microsoft", num_heads=3, unidirectional=1)


def heads_attention(g, *more, heads=3, width=12, length=5, total=6, values=18, outputs=1, **attributes):
    inputs = [g.input(2, length, width), g.input(2, total, width), g.input(2, total, values), *more]
    return g("MultiHeadAttention", *inputs, outputs=outputs, domain="com.microsoft", num_heads=heads, **attributes)


cases(
    multi_head=lambda g: heads_attention(g),
    multi_head_bias=lambda g: heads_attention(g, g.weight(42)),
    multi_head_padding=lambda g: heads_attention(
        g, "", g.input(values=np.int32([[1, 1, 1, 0, 0, 0], [1] * 6])), scale=0.2
    ),
    multi_head_square_mask=lambda g: heads_attention(
        g, "", g.input(values=(g.rng.random((2, 5, 6)) < 0.7).astype(np.int32))
    ),
    multi_head_score_bias=lambda g: heads_attention(g, "", "", g.input(2, 1, 5, 6)),
    multi_head_causal=lambda g: heads_attention(g, total=5, unidirectional=1),
    multi_head_cached_keys=lambda g: ms(
        g, "MultiHeadAttention", g.input(2, 5, 12), g.input(2, 3, 6, 4), g.input(2, 3, 6, 4), num_heads=3
    ),
)


@case
def multi_head_past(g):
    past = [g.input(2, 3, 4, 4), g.input(2, 3, 4, 4)]
    return heads_attention(g, "", "", "", *past, length=2, total=2, values=12, outputs=3)


def rotary(g, shape, positions, *, half=4, rows=16, **attributes):
    angles = g.random(rows, half)
    caches = [g.weight(values=np.cos(angles)), g.weight(values=np.sin(angles))]
    return ms(g, "RotaryEmbedding", g.input(*shape), g.input(values=positions), *caches, **attributes)


cases(
    rotary=lambda g: rotary(g, (2, 3, 24), np.int64([[0, 1, 2], [5, 6, 7]])),
    rotary_offset=lambda g: rotary(g, (2, 3, 24), np.int64([4])),
    rotary_heads=lambda g: rotary(g, (2, 5, 3, 8), np.int64([[0, 1, 2], [5, 6, 7]])),
    rotary_interleaved=lambda g: rotary(g, (2, 3, 24), np.int64([[0, 1, 2], [5, 6, 7]]), interleaved=1),
    rotary_partial=lambda g: rotary(
        g, (2, 3, 36), np.int64([[0, 1, 2], [5, 6, 7]]), num_heads=3, rotary_embedding_dim=8
    ),
)


def group_query(
    g, *, length, total, lengths=None, past=0, heads=4, shared=2, width=16, packed=False, caches=False, **attributes
):
    batch = len(lengths) if lengths else 1
    last = np.int32(lengths or [total]) - 1
    if packed:
        inputs = [g.input(batch, length, (heads + 2 * shared) * width), "", ""]
    else:
        inputs = [g.input(batch, length, heads * width)] + [g.input(batch, length, shared * width) for _ in range(2)]
    inputs += [g.input(batch, shared, past, width) for _ in range(2)] if past else ["", ""]
    inputs += [g.input(values=last), g.weight(values=np.int32(total))]
    if caches:
        angles = g.random(32, width // 2)
        inputs += [g.weight(values=np.cos(angles)), g.weight(values=np.sin(angles))]
        attributes["do_rotary"] = 1
    return g(
        "GroupQueryAttention",
        *inputs,
        outputs=3,
        domain="com.microsoft",
        num_heads=heads,
        kv_num_heads=shared,
        **attributes,
    )


cases(
    group_query_prompt=lambda g: group_query(g, length=5, total=5),
    group_query_packed=lambda g: group_query(g, length=5, total=5, packed=True),
    group_query_rotary=lambda g: group_query(g, length=5, total=5, caches=True),
    group_query_interleaved=lambda g: group_query(g, length=5, total=5, caches=True, rotary_interleaved=1),
    group_query_scale_and_cap=lambda g: group_query(g, length=5, total=5, scale=0.3, softcap=2.0),
    group_query_window=lambda g: group_query(g, length=7, total=7, local_window_size=3),
    group_query_smooth=lambda g: group_query(g, length=5, total=5, smooth_softmax=1),
    group_query_past=lambda g: group_query(g, length=1, total=7, past=6, caches=True),
    group_query_ragged=lambda g: group_query(g, length=1, total=7, past=6, lengths=[7, 5, 3], caches=True),
    group_query_several_new=lambda g: group_query(g, length=3, total=9, past=6, caches=True),
    group_query_window_past=lambda g: group_query(g, length=1, total=9, past=8, local_window_size=4),
)

# --- mixture of experts ---------------------------------------------------------


def experts(g, activation, *, k=2, normalize=0, biases=False, fusion=0, number=5, width=7, inner=6, rank=2, **more):
    first = inner * (2 if fusion else 1)
    shape = (9, width) if rank == 2 else (3, 3, width)
    inputs = [
        g.input(*shape),
        g.input(9, number),
        g.weight(number, first, width),
        g.weight(number, first) if biases else "",
        g.weight(number, width, inner),
        g.weight(number, width) if biases else "",
    ]
    if fusion:
        more["swiglu_fusion"] = fusion
    return ms(g, "MoE", *inputs, k=k, activation_type=activation, normalize_routing_weights=normalize, **more)


cases(
    moe_relu=lambda g: experts(g, "relu"),
    moe_one_of_five=lambda g: experts(g, "relu", k=1),
    moe_gelu=lambda g: experts(g, "gelu", biases=True),
    moe_silu=lambda g: experts(g, "silu", normalize=1, rank=3),
    moe_identity=lambda g: experts(g, "identity", normalize=1, biases=True, k=5),
    moe_swiglu=lambda g: experts(g, "swiglu", fusion=1, normalize=1, activation_alpha=1.702, activation_beta=1.0),
    moe_swiglu_limited=lambda g: experts(
        g, "swiglu", fusion=1, biases=True, swiglu_limit=0.3, activation_alpha=1.702, activation_beta=1.0
    ),
)


# --- forms that ONNX Runtime lacks on CPUs, against their formulas --------------

FORMULAS = {}


def formula(wanted):
    """Registers a graph under a function of all its inputs and weights, in order."""

    def register(function):
        FORMULAS[function.__name__] = function, wanted
        return function

    return register


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def erf_gelu(x):
    from math import erf

    return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2


def tanh_gelu(x):
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@formula(lambda x, bias: softmax(x + bias))
def bias_softmax(g):
    return ms(g, "BiasSoftmax", g.input(2, 3, 5, 7), g.input(2, 1, 1, 7), axis=3, is_inner_broadcast=1)


@formula(lambda x, residual, bias: x + bias + residual)
def bias_dropout(g):
    x, residual = g.input(2, 3, 7), g.input(2, 3, 7)
    return ms(g, "BiasDropout", x, g.weight(7), residual)


@formula(lambda x, skip, bias: x + bias + skip)
def bias_add(g):
    x, skip = g.input(2, 3, 7), g.input(2, 3, 7)
    return ms(g, "BiasAdd", x, g.weight(7), skip)


@formula(lambda x, bias: (x + bias)[..., :5] * erf_gelu((x + bias)[..., 5:]))
def bias_split_gelu(g):
    return ms(g, "BiasSplitGelu", g.input(2, 3, 10), g.weight(10))


@formula(lambda x, w, b: tanh_gelu(x @ w + b))
def gemm_fast_gelu(g):
    return ms(g, "GemmFastGelu", g.input(2, 3, 7), g.weight(7, 5), g.weight(5))


@formula(lambda x, w: np.tanh(0.5 * x @ w.T))
def fused_matmul_activation(g):
    return ms(g, "FusedMatMulActivation", g.input(3, 7), g.weight(5, 7), alpha=0.5, transB=1, activation="Tanh")


def plain_heads(q, k, v, mask=0):
    """Attention of [B, S, N, H] heads."""
    q, k, v = (np.swapaxes(x, 1, 2) for x in (q, k, v))
    scores = q @ np.swapaxes(k, 2, 3) / np.sqrt(q.shape[-1]) + mask
    y = np.swapaxes(softmax(scores) @ v, 1, 2)
    return y.reshape(*y.shape[:2], -1)


@formula(lambda x: plain_heads(x[..., 0, :], x[..., 1, :], x[..., 2, :]))
def multi_head_packed(g):
    return ms(g, "MultiHeadAttention", g.input(2, 5, 3, 3, 4), num_heads=3)


@formula(lambda q, x: plain_heads(q.reshape(2, 5, 3, 4), x[..., 0, :], x[..., 1, :]))
def multi_head_packed_keys(g):
    return ms(g, "MultiHeadAttention", g.input(2, 5, 12), g.input(2, 6, 3, 2, 4), num_heads=3)


def channels_last_conv(x, w, b):
    """3x3, no padding."""
    height, width = x.shape[1] - 2, x.shape[2] - 2
    return b + sum(x[:, i : i + height, j : j + width] @ w[:, i, j].T for i in range(3) for j in range(3))


@formula(channels_last_conv)
def channels_last_convolution(g):
    return ms(g, "NhwcConv", g.input(1, 9, 7, 3), g.weight(5, 3, 3, 3), g.weight(5))


@formula(lambda x, z, w, b: np.maximum(channels_last_conv(x, w, b) + z, 0))
def channels_last_fused_convolution(g):
    image, added = g.input(1, 9, 7, 3), g.input(1, 7, 5, 5)
    return ms(g, "NhwcFusedConv", image, g.weight(5, 3, 3, 3), g.weight(5), added, activation="Relu")


def group_norm(x, scale, bias, groups=2, epsilon=1e-5):
    parts = x.reshape(x.shape[0], -1, groups, x.shape[-1] // groups)
    mean, variance = (f(parts, axis=(1, 3), keepdims=True) for f in (np.mean, np.var))
    return ((parts - mean) / np.sqrt(variance + epsilon)).reshape(x.shape) * scale + bias


@formula(lambda x, scale, bias: (lambda y: y * sigmoid(y))(group_norm(x, scale, bias)))
def group_norm_silu(g):
    return ms(g, "GroupNorm", g.input(2, 3, 5, 6), g.weight(6), g.weight(6), groups=2, activation=1)


@formula(lambda x, skip, scale, bias, more: group_norm(x + skip[:, None, None] + more, scale, bias, groups=3))
def skip_group_norm(g):
    x, skip = g.input(2, 3, 5, 6), g.input(2, 6)
    return ms(g, "SkipGroupNorm", x, g.weight(6), g.weight(6), skip, g.weight(6), groups=3, activation=0)


def all_experts(x, logits, hidden, second, k):
    probabilities = softmax(logits)
    rank = np.argsort(np.argsort(-logits, axis=1, kind="stable"), axis=1, kind="stable")
    gates = np.where(rank < k, probabilities, 0)
    return np.einsum("eti,eni,te->tn", hidden(x), second, gates)


def rows(x, w):
    return np.einsum("tk,enk->etn", x, w)


def swish(x):
    return x * sigmoid(x)


@formula(lambda x, r, w, v, s: all_experts(x, r, lambda x: swish(rows(x, w)) * rows(x, s), v, 2))
def moe_swiglu_apart(g):
    return experts_with_third(g, "swiglu")


@formula(lambda x, r, w, v, s: all_experts(x, r, lambda x: np.maximum(rows(x, w), 0) * rows(x, s), v, 2))
def moe_gated_relu(g):
    return experts_with_third(g, "relu")


def experts_with_third(g, activation):
    inputs = [g.input(9, 7), g.input(9, 5), g.weight(5, 6, 7), "", g.weight(5, 7, 6), "", g.weight(5, 6, 7)]
    return ms(g, "MoE", *inputs, k=2, activation_type=activation)


@formula(lambda x, r, w, v: all_experts(x, r, lambda x: (lambda h: swish(h[..., :6]) * h[..., 6:])(rows(x, w)), v, 2))
def moe_swiglu_halves(g):
    return experts(g, "swiglu", fusion=2)


@formula(
    lambda x, r, w, v: all_experts(x, r, lambda x: (lambda h: tanh_gelu(h[..., ::2]) * h[..., 1::2])(rows(x, w)), v, 2)
)
def moe_geglu(g):
    return experts(g, "geglu", fusion=1)


def build(name, function):
    graph = Graph(len(name))
    outputs = function(graph)
    outputs = [outputs] if isinstance(outputs, str) else list(outputs)
    model = graph.model(*outputs, check=False)
    for value in model.graph.output:
        integer = value.name.startswith("embedlayer") and value.name.endswith("_1")
        value.CopyFrom(
            helper.make_tensor_value_info(value.name, TensorProto.INT32 if integer else TensorProto.FLOAT, None)
        )
    return model, graph.feeds


def compare(tools, model, feeds, expected):
    program = tools.compile(model, target="ideal")
    got = tools.execute(program, feeds, "--ideal")
    assert set(got) == set(expected)
    for output, wanted in expected.items():
        assert got[output].dtype == wanted.dtype
        assert relative_error(got[output], wanted) <= 1e-5, output


@pytest.mark.parametrize("name", CASES)
def test_equals_onnx_runtime(tools, name):
    model, feeds = build(name, CASES[name])
    compare(tools, model, feeds, reference(model, feeds))


@pytest.mark.parametrize("name", FORMULAS)
def test_equals_formula(tools, name):
    function, wanted = FORMULAS[name]
    model, feeds = build(name, function)
    weights = [numpy_helper.to_array(weight).astype(np.float64) for weight in model.graph.initializer]
    values = [value.astype(np.float64) for value in feeds.values()]
    (output,) = (value.name for value in model.graph.output)
    compare(tools, model, feeds, {output: wanted(*values, *weights).astype(np.float32)})


def test_present_of_prompt_and_step_agree(tools):
    """A prompt at once and the same in two parts give one cache."""
    graph = Graph(3)
    names = group_query(graph, length=6, total=6, caches=True)
    model = graph.model(*names, check=False)
    whole = tools.execute(tools.compile(model, target="ideal"), graph.feeds, "--ideal")
    first = {key: value[:, :5] if value.ndim == 3 else value - 1 for key, value in graph.feeds.items()}
    part = Graph(3)
    names = group_query(part, length=5, total=5, caches=True)
    # The same caches of cosines and sines.
    part.weights[1:] = graph.weights[1:]
    before = tools.execute(tools.compile(part.model(*names, check=False), target="ideal"), first, "--ideal")
    for key, value in before.items():
        axis = 1 if value.ndim == 3 else 2
        assert relative_error(value, np.take(whole[key], range(5), axis)) <= 1e-6
