"""Attention, mixtures of experts and kernel attention from real exports, and
which part of every reference model runs on arrays."""

import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from harness import relative_error

F32, I32, I64 = np.float32, np.int32, np.int64


@dataclass
class Case:
    """How to bind, feed and compare one model."""

    data: str
    output: str
    expected: str
    shapes: tuple = ()
    dtypes: dict = field(default_factory=dict)
    feeds: dict = field(default_factory=dict)
    samples: int = 16
    first: int = 0


def minilm(suffix):
    return Case("minilm", "sentence", "expected_sentence" + suffix, ("time=16",), {"inputs_embeds": F32}, samples=32)


def experts(**more):
    return Case("moe_charlm", "logits", "expected_logits", ("time=128",), {"ids": I64}, samples=4, **more)


def listops(form):
    return Case("listops", "logits", f"expected_logits_{form}", ("time=200",), {"ids": I64}, samples=32)


EMPTY_PAST = {f"past_{kind}_{i}": np.zeros((1, 4, 0, 32), F32) for kind in ("key", "value") for i in range(4)}

CASES = {
    "minilm_l6_op18": minilm(""),
    "minilm_l2_op14": minilm("_l2"),
    "minilm_l2_op18": minilm("_l2"),
    "minilm_l2_op23": minilm("_l2"),
    "minilm_l2_op23_attention": minilm("_l2"),
    "listops_softmax": listops("softmax"),
    "listops_favor": listops("favor"),
    "listops_softmax_as_favor": listops("softmax_as_favor"),
    "listops_favor_tuned": listops("favor_tuned"),
    "moe_charlm_dense": experts(),
    "moe_charlm_bmm": experts(),
    "moe_charlm_msmoe": experts(),
    "moe_charlm_decoder": Case(
        "moe_charlm",
        "logits",
        "expected_logits",
        ("batch=1", "time=64", "past=0"),
        {"ids": I64},
        EMPTY_PAST,
        samples=4,
        first=64,
    ),
    "magika_v3_3": Case("magika_v3_3", "target_label", "expected_target_label", dtypes={"bytes": I32}),
}

INPUTS = {
    "minilm": ("inputs_embeds", "attention_mask"),
    "listops": ("ids",),
    "moe_charlm": ("ids",),
    "magika_v3_3": ("bytes",),
}


def options(case):
    return [f"--shape={shape}" for shape in case.shapes]


@pytest.mark.parametrize("name", CASES)
def test_ideal_equals_expected(tools, models, name):
    case = CASES[name]
    with np.load(models / f"{case.data}.npz") as file:
        feeds = {key: file[key][: case.samples] for key in INPUTS[case.data]}
        wanted = file[case.expected][: case.samples]
    if case.first:
        feeds = {key: value[:, : case.first] for key, value in feeds.items()}
        wanted = wanted[:, : case.first]
    feeds = {key: value.astype(case.dtypes.get(key, value.dtype)) for key, value in feeds.items()}
    program = tools.compile(models / f"{name}.onnx", *options(case), target="ideal")
    got = tools.execute(program, feeds | case.feeds, "--ideal")[case.output]
    assert relative_error(got.reshape(wanted.shape), wanted) <= 1e-4


def analog_part(text):
    """Percent of the static multiply-accumulates that run on arrays."""
    total = re.search(r"static multiply-accumulates a run: (\d+) analog, (\d+) digital", text)
    assert total, text[-300:]
    analog, digital = map(int, total.groups())
    return 100 * analog / (analog + digital)


# The other models, and what binds their inputs.
OTHERS = {
    "mnist-net_256x4": (),
    "resnet32": (),
    "resnet32_bn": (),
    "ds_cnn_kws": (),
    "ds_cnn_kws_qdq": (),
    "silero_vad_16k_op15": ("--shape=batch=1", "--shape=sequence=576", "--constant=sr=16000"),
    "silero_vad_openvino_16k": (),
    "silero_vad_op18_ifless": ("--shape=batch=1", "--shape=sequence=576", "--constant=sr=16000"),
    "silero_vad_16k_sequence": ("--shape=input=25x576",),
    "g2p_encoder": ("--shape=time=16",),
    "g2p_decoder_step": (),
    "g2p_decoder_sequence": ("--shape=time=20",),
    "lstm_charlm": ("--shape=batch=1", "--shape=time=16"),
}


@pytest.mark.parametrize("name", [*CASES, *OTHERS])
def test_static_products_are_analog(tools, models, name):
    flags = options(CASES[name]) if name in CASES else OTHERS[name]
    out = tools.succeed("mhoc", models / f"{name}.onnx", "--explain", "--target=ideal", *flags).out
    assert analog_part(out) >= 99
    # Every line says where, and why.
    for line in out.splitlines()[1:-1]:
        assert re.search(r"analog \(|digital \(|folded", line), line
        assert len(line.split()) >= 4, line


def test_one_hot_product_becomes_a_gather(tools, models):
    out = tools.succeed("mhoc", models / "magika_v3_3.onnx", "--compile-to=placed", "-o", "-", "--target=ideal").out
    assert "graph.gather" in out
    assert "257x64" not in tools.succeed("mhoc", models / "magika_v3_3.onnx", "--explain", "--target=ideal").out


def test_experts_have_a_bank_each(tools, models):
    text = tools.succeed(
        "mhoc", models / "moe_charlm_bmm.onnx", "--shape=time=16", "--compile-to=placed", "-o", "-", "--target=ideal"
    ).out
    # 4 layers of qkv, projection, router, 8 experts of two layers, and the head.
    assert text.count("analog.bank @") == 4 * (3 + 16) + 1
