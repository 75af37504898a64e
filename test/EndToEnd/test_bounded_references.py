"""The reference models with symbolic dimensions bounded: one program for every batch and length, against ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest

from harness import relative_error

rng = np.random.default_rng(7)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def ids(high, *shape):
    return rng.integers(1, high, shape)


def image(batch):
    return {"input": normal(batch, 3, 32, 32)}


def keyword(batch):
    return {"input": normal(batch, 1, 49, 10)}


def sentence(batch, time):
    mask = (np.arange(time) < rng.integers(1, time + 1, (batch, 1))).astype(np.int64)
    return {"inputs_embeds": normal(batch, time, 384) * 0.05, "attention_mask": mask}


def expression(batch, time):
    return {"ids": ids(15, batch, time)}


def characters(batch, time):
    return {"ids": ids(63, batch, time)}


def continued(batch, time, past):
    feeds = {"ids": ids(63, batch, time)}
    for kind in ("key", "value"):
        for layer in range(4):
            feeds[f"past_{kind}_{layer}"] = normal(batch, 4, past, 32)
    return feeds


def recurrent(batch, time):
    return {"ids": ids(63, batch, time), "h0": normal(1, batch, 504) * 0.3, "c0": normal(1, batch, 504) * 0.3}


def spelled(batch, time):
    return {"ids": ids(28, batch, time), "lengths": rng.integers(1, time + 1, batch).astype(np.int32)}


def spoken(batch, time):
    return {"token": ids(74, batch, time), "hidden": normal(batch, 256) * 0.3}


def step(batch):
    return {"token": ids(74, batch), "hidden": normal(batch, 256) * 0.3}


def frames(batch):
    return {"input": normal(batch, 576) * 0.1, "state": normal(2, batch, 128) * 0.1, "sr": np.array(16000)}


def frame_sequence(count):
    return {"input": normal(count, 576) * 0.1, "h": normal(1, 1, 128) * 0.1, "c": normal(1, 1, 128) * 0.1}


def some_bytes(batch):
    return {"bytes": ids(257, batch, 2048).astype(np.int32)}


SILERO = ("--shape=sequence=576", "--constant=sr=16000")
# Model: targets, its inputs, options, extents that are tried.
CASES = {
    "resnet32": ("ideal hermes", image, ["--shape=batch=1..16"], [(1,), (3,), (16,)]),
    "resnet32_bn": ("ideal", image, ["--shape=batch=1..5"], [(2,), (5,)]),
    "ds_cnn_kws": ("ideal hermes", keyword, ["--shape=batch=1..16"], [(1,), (7,), (16,)]),
    "ds_cnn_kws_qdq": ("ideal hermes", keyword, ["--shape=batch=1..4"], [(1,), (4,)]),
    "magika_v3_3": ("ideal", some_bytes, ["--shape=unk__214=1..3"], [(1,), (3,)]),
    "minilm_l2_op14": ("ideal", sentence, ["--shape=batch=1..3", "--shape=time=1..24"], [(1, 1), (2, 13), (3, 24)]),
    "minilm_l2_op18": ("ideal", sentence, ["--shape=batch=1..3", "--shape=time=1..24"], [(1, 1), (2, 13), (3, 24)]),
    "minilm_l2_op23": ("ideal", sentence, ["--shape=batch=1..2", "--shape=time=1..9"], [(1, 5), (2, 9)]),
    "minilm_l2_op23_attention": ("ideal", sentence, ["--shape=batch=1..3", "--shape=time=1..24"], [(1, 1), (3, 24)]),
    "minilm_l6_op18": ("ideal", sentence, ["--shape=batch=1..2", "--shape=time=1..16"], [(2, 7), (1, 16)]),
    "lstm_charlm": ("ideal hermes", recurrent, ["--shape=batch=1..3", "--shape=time=1..12"], [(1, 1), (2, 7), (3, 12)]),
    "g2p_encoder": ("ideal hermes", spelled, ["--shape=batch=1..3", "--shape=time=1..12"], [(1, 1), (2, 7), (3, 12)]),
    "g2p_decoder_sequence": ("ideal", spoken, ["--shape=batch=1..3", "--shape=time=1..12"], [(1, 1), (2, 7), (3, 12)]),
    "g2p_decoder_step": ("ideal hermes", step, ["--shape=batch=1..5"], [(1,), (3,), (5,)]),
    "silero_vad_16k_op15": ("ideal", frames, ["--shape=batch=1..3", *SILERO], [(1,), (3,)]),
    "silero_vad_op18_ifless": ("ideal", frames, ["--shape=batch=1..3", *SILERO], [(1,), (3,)]),
    "silero_vad_16k_sequence": ("ideal hermes", frame_sequence, ["--shape=sequence_length=1..9"], [(1,), (4,), (9,)]),
    "listops_softmax": (
        "ideal hermes",
        expression,
        ["--shape=batch=1..3", "--shape=time=1..30"],
        [(1, 1), (2, 17), (3, 30)],
    ),
    "listops_favor": ("ideal", expression, ["--shape=batch=1..3", "--shape=time=1..30"], [(1, 1), (2, 17), (3, 30)]),
    "moe_charlm_dense": ("ideal", characters, ["--shape=batch=1..2", "--shape=time=1..12"], [(1, 1), (2, 7), (2, 12)]),
    "moe_charlm_bmm": ("ideal", characters, ["--shape=batch=1..2", "--shape=time=1..12"], [(1, 1), (2, 7), (2, 12)]),
    "moe_charlm_msmoe": ("ideal", characters, ["--shape=batch=1..2", "--shape=time=1..12"], [(1, 1), (2, 7), (2, 12)]),
    "moe_charlm_decoder": (
        "ideal",
        continued,
        ["--shape=batch=1..2", "--shape=time=1..8", "--shape=past=0..24"],
        [(1, 1, 0), (1, 8, 0), (2, 3, 11), (2, 8, 24)],
    ),
}


def outputs_of(path, feeds):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    known = {value.name for value in session.get_inputs()}
    values = session.run(names, {name: value for name, value in feeds.items() if name in known})
    return dict(zip(names, values, strict=True))


@pytest.mark.parametrize(("name", "target"), [(name, target) for name in CASES for target in CASES[name][0].split()])
def test_reference_model(tools, models, name, target):
    _, feed, options, extents = CASES[name]
    program = tools.compile(models / f"{name}.onnx", *options, target=target)
    frozen = {option.split("=")[1] for option in options if option.startswith("--constant")}
    tolerance = 2e-2 if name.endswith("qdq") else 1e-4
    for each in extents:
        feeds = feed(*each)
        wanted = outputs_of(models / f"{name}.onnx", feeds)
        given = {key: value for key, value in feeds.items() if key not in frozen}
        got = tools.execute(program, given, "--ideal")
        for output, value in wanted.items():
            found = got[output]
            if output == "last_hidden":  # what stands behind a sentence's end says nothing
                mask = feeds["attention_mask"][..., None]
                found, value = found * mask, value * mask
            assert relative_error(found, value) <= tolerance, f"{output} at {each}"
