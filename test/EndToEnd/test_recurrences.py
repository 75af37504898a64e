"""LSTM, GRU and RNN in every form, compiled and run without noise, against
ONNX Runtime. Two steps are written out, more are a loop."""

import re

import numpy as np
import onnx
import pytest
from onnx import helper

from graphs import Graph
from harness import reference, relative_error

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
STATES = {"LSTM": 2, "GRU": 1, "RNN": 1}
# A function of each kind, with parameters where it has some.
ACTIVATIONS = {
    "Relu": ([], []),
    "Tanh": ([], []),
    "Sigmoid": ([], []),
    "Affine": ([0.7], [0.1]),
    "LeakyRelu": ([0.3], []),
    "ThresholdedRelu": ([0.2], []),
    "ScaledTanh": ([0.8], [1.3]),
    "HardSigmoid": ([0.3], [0.4]),
    "Elu": ([0.6], []),
    "Softsign": ([], []),
    "Softplus": ([], []),
}


def recurrence(
    g,
    kind,
    steps=5,
    batch=3,
    inputs=7,
    hidden=6,
    direction="forward",
    bias=True,
    initial=False,
    lengths=None,
    live_lengths=False,
    peepholes=False,
    live_weights=False,
    want=None,
    **attributes,
):
    """A recurrent node on odd sizes; gives its outputs."""
    both = 2 if direction == "bidirectional" else 1
    rows = GATES[kind] * hidden
    tensor = g.input if live_weights else g.weight
    x = g.input(steps, batch, inputs)
    operands = [x, tensor(both, rows, inputs), tensor(both, rows, hidden), "", "", ""]
    if bias:
        operands[3] = tensor(both, 2 * rows)
    if lengths:
        values = np.array(lengths, np.int32)
        operands[4] = g.input(values=values) if live_lengths else g.weight(values=values)
    if initial:
        operands[5:] = [g.input(both, batch, hidden) for _ in range(STATES[kind])]
    if peepholes:
        operands += [""] * (7 - len(operands)) + [tensor(both, 3 * hidden)]
    while operands[-1] == "":
        operands.pop()
    outputs = g(kind, *operands, outputs=1 + STATES[kind], direction=direction, hidden_size=hidden, **attributes)
    return [outputs[i] for i in want] if want else outputs


def compare(tools, graph, outputs, target, tolerance=2e-5, options=()):
    model = graph.model(*outputs)
    wanted = reference(model, graph.feeds)
    got = tools.execute(tools.compile(model, *options, target=target), graph.feeds, "--ideal")
    assert set(got) == set(wanted)
    for name, value in wanted.items():
        assert got[name].dtype == value.dtype
        assert relative_error(got[name], value) <= tolerance, name


FORMS = {
    "plain": {},
    "without_bias": {"bias": False},
    "reverse": {"direction": "reverse"},
    "bidirectional": {"direction": "bidirectional"},
    "initial": {"initial": True},
    "bidirectional_initial": {"direction": "bidirectional", "initial": True},
    "lengths": {"lengths": [1, 4, 2]},
    "reverse_lengths": {"direction": "reverse", "lengths": [3, 1, 5], "initial": True},
    "bidirectional_lengths": {"direction": "bidirectional", "lengths": [2, 5, 1], "live_lengths": True},
    "full_lengths": {"lengths": [5, 5, 5]},
    "clip": {"clip": 0.35},
    "one_step": {"steps": 1, "initial": True},
    "one_step_from_zero": {"steps": 1},
    "two_steps": {"steps": 2, "direction": "bidirectional"},
    "two_steps_lengths": {"steps": 2, "direction": "reverse", "lengths": [2, 1, 2]},
    "one_sample": {"batch": 1, "steps": 9},
    "live_weights": {"live_weights": True, "direction": "bidirectional", "initial": True},
    "last_state_only": {"want": [1]},
    "sequence_only": {"want": [0]},
}


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", GATES)
def test_form(tools, kind, form, target):
    graph = Graph(seed=len(form))
    compare(tools, graph, recurrence(graph, kind, **FORMS[form]), target)


SPECIAL = {
    "lstm_peepholes": ("LSTM", {"peepholes": True, "initial": True}),
    "lstm_peepholes_both": ("LSTM", {"peepholes": True, "direction": "bidirectional", "clip": 0.4}),
    "lstm_coupled": ("LSTM", {"input_forget": 1, "peepholes": True}),
    "lstm_live_peepholes": ("LSTM", {"peepholes": True, "live_weights": True}),
    "gru_reset_after": ("GRU", {"linear_before_reset": 1}),
    "gru_reset_after_without_bias": ("GRU", {"linear_before_reset": 1, "bias": False}),
    "gru_reset_after_both": ("GRU", {"linear_before_reset": 1, "direction": "bidirectional", "lengths": [5, 2, 1]}),
    "gru_reset_after_one_step": ("GRU", {"linear_before_reset": 1, "steps": 1}),
    "gru_reset_after_live": ("GRU", {"linear_before_reset": 1, "live_weights": True, "initial": True}),
}


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("name", SPECIAL)
def test_special(tools, name, target):
    kind, form = SPECIAL[name]
    graph = Graph(seed=len(name))
    compare(tools, graph, recurrence(graph, kind, **form), target)


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_activation(tools, function):
    alpha, beta = ACTIVATIONS[function]
    graph = Graph(seed=len(function))
    attributes = {"activations": [function]}
    if alpha:
        attributes["activation_alpha"] = alpha
    if beta:
        attributes["activation_beta"] = beta
    compare(tools, graph, recurrence(graph, "RNN", steps=3, **attributes), "ideal")


# ThresholdedRelu's is 1 by ONNX, as its operator's, but not in ONNX Runtime.
@pytest.mark.parametrize("function", ["HardSigmoid", "LeakyRelu", "Elu"])
def test_activation_defaults(tools, function):
    graph = Graph(seed=len(function))
    compare(tools, graph, recurrence(graph, "RNN", steps=2, activations=[function]), "ideal")


def test_activations_of_both_directions(tools):
    """Parameters are handed out in order, to functions that take some."""
    graph = Graph(seed=3)
    outputs = recurrence(
        graph,
        "LSTM",
        direction="bidirectional",
        activations=["HardSigmoid", "Tanh", "Elu", "Sigmoid", "LeakyRelu", "ScaledTanh"],
        activation_alpha=[0.3, 0.7, 0.2, 0.9],
        activation_beta=[0.45, 1.2],
    )
    compare(tools, graph, outputs, "ideal")


@pytest.mark.parametrize("opset", [7, 14, 22])
@pytest.mark.parametrize("kind", GATES)
def test_opset(tools, kind, opset):
    graph = Graph(seed=opset, opset=opset)
    compare(tools, graph, recurrence(graph, kind, direction="bidirectional"), "ideal")


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("kind", GATES)
def test_batch_first(tools, kind, steps):
    """Layout 1, which ONNX Runtime lacks: the same values as layout 0."""
    graph = Graph(seed=steps)
    outputs = recurrence(graph, kind, steps=steps, direction="bidirectional", initial=True)
    model = graph.model(*outputs)
    wanted = reference(model, graph.feeds)
    turned = onnx.ModelProto()
    turned.CopyFrom(model)
    turned.graph.node[-1].attribute.append(helper.make_attribute("layout", 1))
    feeds = {name: np.ascontiguousarray(value.swapaxes(0, 1)) for name, value in graph.feeds.items()}
    for value in turned.graph.input:
        value.CopyFrom(helper.make_tensor_value_info(value.name, 1, feeds[value.name].shape))
    for value in turned.graph.output:
        value.type.tensor_type.ClearField("shape")
    got = tools.execute(tools.compile(turned, target="ideal"), feeds, "--ideal")
    sequence, *states = outputs
    assert relative_error(got[sequence].transpose(1, 2, 0, 3), wanted[sequence]) <= 2e-5
    for state in states:
        assert relative_error(got[state].swapaxes(0, 1), wanted[state]) <= 2e-5


def test_weights_are_on_arrays(tools):
    """Both products of both directions, of weights larger than an array."""
    graph = Graph(seed=1)
    outputs = recurrence(graph, "LSTM", inputs=70, hidden=130, direction="bidirectional")
    model = graph.model(*outputs)
    onnx.save(model, tools.folder / "m.onnx")
    text = tools.succeed("mhoc", tools.folder / "m.onnx", "--compile-to=analog", "-o", "-").out
    assert text.count("analog.matmul") == 4
    assert "graph.gemm" not in text
    compare(tools, graph, outputs, "hermes")


def test_stacked_layers(tools):
    """The state of one layer is the input of the next."""
    graph = Graph(seed=2)
    y = recurrence(graph, "GRU", direction="bidirectional", want=[0])[0]
    y = graph("Reshape", graph("Transpose", y, perm=[0, 2, 1, 3]), graph.int64(0, 0, -1))
    w, r = graph.weight(1, 16, 12), graph.weight(1, 16, 4)
    y, h, c = graph("LSTM", y, w, r, outputs=3, hidden_size=4, direction="reverse")
    compare(tools, graph, (y, h, c), "hermes")


REFUSED = {
    "activations": ({"activations": ["Gelu"]}, "attribute 'activations' names no function of ONNX's: 'Gelu'"),
    "count": ({"activations": ["Tanh", "Tanh"]}, "attribute 'activations' must name 1 functions, found 2"),
    "direction": ({"direction": "up"}, "direction is forward, reverse or bidirectional, found 'up'"),
    "hidden": ({"hidden": 6, "hidden_size_given": 5}, "hidden_size is 5, but input R is tensor<1x6x6xf32>"),
    "lengths": ({"lengths": [1, 9, 2]}, "sequence_lens holds 9, but the input has 5 steps"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(tools, name):
    form, message = REFUSED[name]
    form = dict(form)
    given = form.pop("hidden_size_given", None)
    graph = Graph()
    outputs = recurrence(graph, "RNN", **form)
    if given:
        for attribute in graph.nodes[-1].attribute:
            if attribute.name == "hidden_size":
                attribute.i = given
    model = graph.model(*outputs, check=False)
    onnx.save(model, tools.folder / "m.onnx")
    error = tools.refuse("mhoc", tools.folder / "m.onnx", "-o", "m.mho")
    assert message in error and "RNN_" in error


# Hidden sizes whose gates take several arrays of a core's 256 columns.
@pytest.mark.parametrize(
    ("kind", "hidden", "splits"),
    [
        ("LSTM", 70, [0, 140, 280]),
        ("LSTM", 75, [0, 152, 300]),
        ("GRU", 100, [0, 150, 300]),
        ("RNN", 300, [0, 150, 300]),
    ],
)
def test_gates_of_a_unit_are_on_one_core(tools, kind, hidden, splits):
    """On hermes a hidden unit's gates lie side by side, in the chip's order, and no core has a part of them only."""
    graph = Graph(seed=hidden)
    forms = {"linear_before_reset": 1} if kind == "GRU" else {}
    outputs = recurrence(graph, kind, hidden=hidden, direction="bidirectional", initial=True, **forms)
    model = graph.model(*outputs)
    onnx.save(model, tools.folder / "m.onnx")
    text = tools.succeed("mhoc", tools.folder / "m.onnx", "--compile-to=placed", "-o", "-", "--target=hermes").out
    banks = [line for line in text.splitlines() if "analog.bank @" in line]
    assert len(banks) == 4
    for bank in banks:
        assert f"col_splits = array<i64: {', '.join(map(str, splits))}>" in bank
        assert ("order = [0, 3, 2, 1]" in bank) == (kind == "LSTM")
        assert bool(re.search(r"columns = \[\d, \d\]", bank)) == (kind != "RNN")
    compare(tools, graph, outputs, "hermes")


def test_noise_of_interleaved_gates(tools):
    """Ranges, programming and compensation follow the columns: noise stays noise."""
    graph = Graph(seed=5)
    outputs = recurrence(graph, "LSTM", hidden=75, want=[0])
    model = graph.model(*outputs)
    wanted = reference(model, graph.feeds)[outputs[0]]
    np.savez(tools.folder / "calibration.npz", **{name: value[None] for name, value in graph.feeds.items()})
    program = tools.compile(model, f"--calibrate={tools.folder / 'calibration.npz'}")
    quantized = tools.execute(program, graph.feeds, "--noise=quantization")[outputs[0]]
    assert relative_error(quantized, wanted) < 0.1
