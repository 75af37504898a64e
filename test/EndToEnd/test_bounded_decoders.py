"""What decoders of text carry from step to step: caches, positions and loops whose values grow."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from graphs import Bounded
from harness import reference, relative_error

MS = "com.microsoft"


def compare(tools, program, model, feeds, tolerance=2e-5):
    wanted = reference(model, feeds)
    got = tools.execute(program, feeds, "--ideal")
    for name, value in wanted.items():
        assert got[name].dtype == value.dtype
        assert got[name].shape == value.shape, name
        assert relative_error(got[name], value) <= tolerance, name


# --- attention with a cache ---------------------------------------------------------


def group_query(graph, *, packed=False, caches=True, heads=4, shared=2, width=16, **attributes):
    """As exporters write it: lengths and the total follow from a mask."""
    mask = graph.open("b", "t", kind=np.int64, high=2)
    counted = graph("ReduceSum", mask, graph.int64(1), keepdims=0)
    last = graph("Cast", graph("Sub", counted, graph.int64(1)), to=TensorProto.INT32)
    total = graph("Gather", graph("Shape", mask), graph.weight(values=np.int64(1)))
    total = graph("Cast", total, to=TensorProto.INT32)
    if packed:
        inputs = [graph.open("b", "s", (heads + 2 * shared) * width), "", ""]
    else:
        inputs = [graph.open("b", "s", count * width) for count in (heads, shared, shared)]
    inputs += [graph.open("b", shared, "p", width) for _ in range(2)]
    inputs += [last, total]
    if caches:
        angles = graph.random(40, width // 2)
        inputs += [graph.weight(values=np.cos(angles)), graph.weight(values=np.sin(angles))]
        attributes["do_rotary"] = 1
    outputs = graph(
        "GroupQueryAttention",
        *inputs,
        outputs=3,
        domain=MS,
        num_heads=heads,
        kv_num_heads=shared,
        **attributes,
    )
    return graph.model(*outputs, check=False)


def cache_feeds(graph, batch, new, past, lengths=None):
    feeds = graph.feed(b=batch, s=new, p=past, t=past + new)
    lengths = np.array(lengths or [past + new] * batch)
    feeds["x0"] = (np.arange(past + new) < lengths[:, None]).astype(np.int64)
    return feeds


GROUP_QUERY = {
    "plain": {"caches": False},
    "rotary": {},
    "packed": {"packed": True},
    "interleaved": {"rotary_interleaved": 1},
    "window": {"local_window_size": 4},
    "capped": {"scale": 0.3, "softcap": 2.0},
    "smooth": {"smooth_softmax": 1, "caches": False},
}


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", GROUP_QUERY)
def test_group_query_attention(tools, name, target):
    graph = Bounded(seed=len(name))
    model = group_query(graph, **GROUP_QUERY[name])
    limits = ["--shape=b=1..3", "--shape=s=1..6", "--shape=p=0..12", "--shape=t=1..18"]
    program = tools.compile(model, *limits, target=target)
    for batch, new, past in [(3, 6, 0), (1, 6, 12), (2, 1, 7), (1, 3, 5), (2, 1, 0), (3, 1, 12), (1, 1, 0)]:
        compare(tools, program, model, cache_feeds(graph, batch, new, past))


def test_sequences_of_different_lengths(tools):
    graph = Bounded(seed=3)
    model = group_query(graph)
    program = tools.compile(
        model, "--shape=b=1..3", "--shape=s=1..2", "--shape=p=0..9", "--shape=t=1..11", target="ideal"
    )
    feeds = cache_feeds(graph, 3, 1, 6, lengths=[7, 5, 3])
    wanted, got = reference(model, feeds), tools.execute(program, feeds, "--ideal")
    assert relative_error(*(a[next(iter(wanted))] for a in (got, wanted))) <= 2e-5


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("heads", [False, True])
def test_rotary_embedding(tools, heads, target):
    graph = Bounded(seed=2)
    x = graph.open("b", 3, "s", 8) if heads else graph.open("b", "s", 24)
    places = graph.open("b", "s", kind=np.int64, high=16)
    first = graph.open(1, kind=np.int64, high=9)
    angles = graph.random(32, 4)
    tables = [graph.weight(values=np.cos(angles)), graph.weight(values=np.sin(angles))]
    model = graph.model(
        graph("RotaryEmbedding", x, places, *tables, domain=MS),
        graph("RotaryEmbedding", x, first, *tables, domain=MS, interleaved=1),
        check=False,
    )
    program = tools.compile(model, "--shape=b=1..2", "--shape=s=1..9", target=target)
    for batch, length in [(2, 9), (1, 1), (2, 4), (1, 7)]:
        compare(tools, program, model, graph.feed(b=batch, s=length))


# --- loops whose values grow ----------------------------------------------------------


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, values, kind=np.float32):
    return onnx.numpy_helper.from_array(np.asarray(values, kind), name)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def decoder(steps, past, *, stops=False, width=6, vocabulary=11):
    """Greedy decoding with a cache of keys and values and the tokens so far, as a Loop over one step."""
    nodes = [
        ("Gather", ["table", "token"], ["x"], {}),
        ("MatMul", ["x", "wq"], ["q"], {}),
        ("MatMul", ["x", "wk"], ["k_new"], {}),
        ("MatMul", ["x", "wv"], ["v_new"], {}),
        ("Concat", ["k_in", "k_new"], ["k_out"], {"axis": 1}),
        ("Concat", ["v_in", "v_new"], ["v_out"], {"axis": 1}),
        ("Transpose", ["k_out"], ["k_t"], {"perm": [0, 2, 1]}),
        ("MatMul", ["q", "k_t"], ["scores"], {}),
        ("Concat", ["mask_in", "zero"], ["mask_out"], {"axis": 1}),
        ("Unsqueeze", ["mask_out", "one"], ["bias"], {}),
        ("Add", ["scores", "bias"], ["masked"], {}),
        ("Softmax", ["masked"], ["weights"], {"axis": -1}),
        ("MatMul", ["weights", "v_out"], ["seen"], {}),
        ("Add", ["seen", "x"], ["mixed"], {}),
        ("MatMul", ["mixed", "head"], ["logits"], {}),
        ("ArgMax", ["logits"], ["next_token"], {"axis": -1, "keepdims": 0}),
        ("Concat", ["tokens_in", "next_token"], ["tokens_out"], {"axis": 1}),
        ("Cast", ["tokens_out"], ["as_floats"], {"to": TensorProto.FLOAT}),
        ("ReduceSum", ["as_floats"], ["total"], {"keepdims": 0}),
        ("Less", ["total", "limit"], ["goes"], {}) if stops else ("Identity", ["go"], ["goes"], {}),
    ]
    body = helper.make_graph(
        [helper.make_node(kind, i, o, f"{kind}_{o[0]}", **a) for kind, i, o, a in nodes],
        "body",
        [
            value("i", [], TensorProto.INT64),
            value("go", [], TensorProto.BOOL),
            value("token", ["B", 1], TensorProto.INT64),
            value("tokens_in", ["B", None], TensorProto.INT64),
            value("k_in", ["B", None, width]),
            value("v_in", ["B", None, width]),
            value("mask_in", ["B", None]),
        ],
        [
            value("goes", [], TensorProto.BOOL),
            value("next_token", ["B", 1], TensorProto.INT64),
            value("tokens_out", ["B", None], TensorProto.INT64),
            value("k_out", ["B", None, width]),
            value("v_out", ["B", None, width]),
            value("mask_out", ["B", None]),
        ],
    )
    trips = "trips" if steps is None else "steps"
    loop = helper.make_node(
        "Loop",
        [trips, "", "token0", "tokens0", "k0", "v0", "mask0"],
        ["last", "tokens", "k", "v", "mask"],
        "decode",
        body=body,
    )
    inputs = [
        value("token0", ["B", 1], TensorProto.INT64),
        value("tokens0", ["B", past], TensorProto.INT64),
        value("k0", ["B", past, width]),
        value("v0", ["B", past, width]),
        value("mask0", ["B", past]),
    ]
    if steps is None:
        inputs.append(value("trips", [], TensorProto.INT64))
    weights = [constant(name, normal(width, width, seed=i) / 2) for i, name in enumerate(["wq", "wk", "wv"])]
    weights += [
        constant("table", normal(vocabulary, width, seed=5)),
        constant("head", normal(width, vocabulary, seed=6)),
        constant("one", [1], np.int64),
        constant("limit", 90.0),
    ]
    if steps is not None:
        weights.append(constant("steps", steps, np.int64))
    outputs = [
        value("last", ["B", 1], TensorProto.INT64),
        value("tokens", ["B", None], TensorProto.INT64),
        value("k", ["B", None, width]),
        value("v", ["B", None, width]),
        value("mask", ["B", None]),
    ]
    # One column of zeros for each row of the mask.
    zero = helper.make_node("Mul", ["first_column", "none"], ["zero"])
    first = helper.make_node("Cast", ["token0"], ["first_column"], to=TensorProto.FLOAT)
    weights.append(constant("none", 0.0))
    graph = helper.make_graph([first, zero, loop], "decoder", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def decoder_feeds(batch, past, seed=0, trips=None, width=6):
    rng = np.random.default_rng(seed)
    feeds = {
        "token0": rng.integers(0, 11, (batch, 1)),
        "tokens0": rng.integers(0, 11, (batch, past)),
        "k0": normal(batch, past, width, seed=seed + 1),
        "v0": normal(batch, past, width, seed=seed + 2),
        "mask0": normal(batch, past, seed=seed + 3),
    }
    if trips is not None:
        feeds["trips"] = np.array(trips)
    return feeds


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_a_cache_grows_for_many_steps(tools, target):
    """More steps than are written out one after the other."""
    model = decoder(150, 3)
    program = tools.compile(model, "--shape=B=1..2", target=target)
    for batch in (2, 1):
        compare(tools, program, model, decoder_feeds(batch, 3, seed=batch))


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_a_cache_grows_as_often_as_the_run_says(tools, target):
    model = decoder(None, "P")
    program = tools.compile(model, "--shape=B=1..2", "--shape=P=0..5", "--loop-bound=decode=12", target=target)
    for batch, past, trips in [(2, 5, 12), (1, 0, 1), (2, 3, 7), (1, 1, 0), (1, 2, 11)]:
        compare(tools, program, model, decoder_feeds(batch, past, seed=trips, trips=trips))


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_a_cache_grows_until_a_condition_ends_it(tools, target):
    model = decoder(40, "P", stops=True)
    program = tools.compile(model, "--shape=B=1", "--shape=P=0..5", target=target)
    lengths = set()
    for seed in range(8):
        feeds = decoder_feeds(1, seed % 6, seed=seed)
        compare(tools, program, model, feeds)
        lengths.add(reference(model, feeds)["tokens"].shape[1] - seed % 6)
    assert len(lengths) > 2, lengths


def test_growth_without_bound_says_how_to_give_one(tools):
    onnx.save(decoder(None, 3), tools.folder / "m.onnx")
    message = tools.refuse("mhoc", tools.folder / "m.onnx", "-o", "m.mho", "--target=ideal", "--shape=B=1")
    assert "decode" in message and "carried value" in message and "--loop-bound=decode=N" in message


def test_what_a_step_takes_follows_from_its_number(tools):
    """A slice that is longer in every step, and a queue that loses its first row."""
    nodes = [
        helper.make_node("Add", ["i", "one"], ["end"]),
        helper.make_node("Unsqueeze", ["end", "axis"], ["ends"]),
        helper.make_node("Slice", ["x", "axis", "ends", "axis"], ["part"]),
        helper.make_node("ReduceMean", ["part", "axis"], ["m"], keepdims=0),
        helper.make_node("Add", ["h", "m"], ["h1"]),
        helper.make_node("Slice", ["queue", "ones", "most", "axis"], ["queue1"]),
        helper.make_node("Identity", ["go"], ["goes"]),
    ]
    body = helper.make_graph(
        nodes,
        "body",
        [
            value("i", [], TensorProto.INT64),
            value("go", [], TensorProto.BOOL),
            value("h", [3]),
            value("queue", [None, 3]),
        ],
        [value("goes", [], TensorProto.BOOL), value("h1", [3]), value("queue1", [None, 3]), value("m", [3])],
    )
    node = helper.make_node("Loop", ["trips", "", "h0", "x"], ["y", "rest", "means"], "walk", body=body)
    weights = [
        constant("one", 1, np.int64),
        constant("ones", [1], np.int64),
        constant("axis", [0], np.int64),
        constant("most", [2**62], np.int64),
    ]
    graph = helper.make_graph(
        [node],
        "test",
        [value("h0", [3]), value("x", [9, 3]), value("trips", [], TensorProto.INT64)],
        [value("y", [3]), value("rest", [None, 3]), value("means", [None, 3])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    program = tools.compile(model, "--loop-bound=walk=9", target="ideal")
    for trips in (9, 0, 1, 5):
        compare(tools, program, model, {"h0": normal(3), "x": normal(9, 3, seed=1), "trips": np.array(trips)})
