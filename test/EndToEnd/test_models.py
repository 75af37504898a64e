"""The first five reference models: exact, quantised, noisy."""

import numpy as np
import pytest

from harness import relative_error

# Model, its data, input, output, expected outputs, tolerance.
MODELS = {
    "mnist-net_256x4": ("mnist-net_256x4", "0", "20", "expected_20", 1e-4),
    "resnet32": ("resnet32", "input", "output", "expected_output", 1e-4),
    "resnet32_bn": ("resnet32", "input", "output", "expected_output", 1e-4),
    "ds_cnn_kws": ("ds_cnn_kws", "input", "output", "expected_output", 1e-4),
    "ds_cnn_kws_qdq": ("ds_cnn_kws", "input", "output", "expected_output_qdq", 2e-2),
}


def load(models, name):
    """Inputs in float, labels and expected outputs of a model."""
    data, key, output, expected, _ = MODELS[name]
    with np.load(models / f"{data}.npz") as file:
        inputs = file[key]
        if f"scale_{key}" in file.files:
            inputs = inputs.astype(np.float32) * file[f"scale_{key}"] + file[f"offset_{key}"]
        return {key: inputs.astype(np.float32)}, file["labels"].astype(np.int64), file[expected]


def first(inputs, count):
    return {key: value[:count] for key, value in inputs.items()}


def rows(values):
    return values.reshape(len(values), -1)


@pytest.mark.parametrize("target", ["hermes", "ideal"])
@pytest.mark.parametrize("name", MODELS)
def test_ideal_equals_expected(tools, models, name, target):
    inputs, _, expected = load(models, name)
    output, tolerance = MODELS[name][2], MODELS[name][4]
    program = tools.compile(models / f"{name}.onnx", target=target)
    got = tools.execute(program, first(inputs, len(expected)), "--ideal")[output]
    got = got.reshape(expected.shape)
    assert relative_error(got, expected) <= tolerance
    same = (rows(got).argmax(1) == rows(expected).argmax(1)).mean()
    assert same >= (0.99 if name.endswith("qdq") else 1)


@pytest.mark.parametrize("name", MODELS)
def test_quantized_accuracy_is_near_float(tools, models, name):
    """Within a point of float; ResNet-32 within two images of 100."""
    inputs, labels, _ = load(models, name)
    count = len(labels) if len(labels) >= 100 else 0
    assert count, "the model's data has labels"
    inputs, labels, output = first(inputs, count), labels[:count], MODELS[name][2]
    np.savez(tools.folder / "calibration.npz", **first(inputs, 64))
    program = tools.compile(models / f"{name}.onnx", f"--calibrate={tools.folder / 'calibration.npz'}")

    def accuracy(*options):
        got = rows(tools.execute(program, inputs, *options)[output].reshape(count, -1))
        return (got.argmax(1) == labels).mean()

    allowed = 0.02 if name.startswith("resnet32") else 0.01
    assert accuracy("--noise=quantization") >= accuracy("--ideal") - allowed - 1e-9


@pytest.mark.parametrize("name", MODELS)
def test_noisy_run_repeats_with_any_threads(tools, models, name):
    inputs, labels, _ = load(models, name)
    np.savez(tools.folder / "calibration.npz", **first(inputs, 64))
    program = tools.compile(models / f"{name}.onnx", f"--calibrate={tools.folder / 'calibration.npz'}")
    np.savez(tools.folder / "few.npz", labels=labels[:16], **first(inputs, 16))
    results, reports = [], []
    for threads in (1, 2):
        report = tools.folder / f"report{threads}.json"
        options = ["--noise=all", "--time=1d", "--instances=5", "--seed=3", f"--threads={threads}"]
        options += ["--metric=accuracy:labels", f"--report={report}"]
        results.append(tools.execute(program, tools.folder / "few.npz", *options))
        reports.append(report.read_bytes())
    for output, value in results[0].items():
        assert value.shape[0] == 5
        assert value.tobytes() == results[1][output].tobytes()
        assert len({instance.tobytes() for instance in value}) == 5, "instances differ"
    assert reports[0] == reports[1]


def test_compile_is_quick_and_small(tools, models):
    runs = [
        tools.succeed("mhoc", models / "resnet32.onnx", "-o", tools.folder / "m.mho", "--target=hermes")
        for _ in range(3)
    ]
    assert min(run.seconds for run in runs) < 1
    assert max(run.peak_mb for run in runs) < 300


def test_model_too_large_says_what_to_do(tools):
    """Cores needed and there, the largest layers, and a way out."""
    from graphs import Graph

    graph = Graph()
    x = graph("MatMul", graph.input(1, 2048), graph.weight(2048, 2500), name="wide")
    x = graph("MatMul", x, graph.weight(2500, 256), name="narrow")
    import onnx

    onnx.save(graph.model(x), tools.folder / "large.onnx")
    message = tools.refuse("mhoc", tools.folder / "large.onnx", "-o", tools.folder / "large.mho", "--target=hermes")
    assert "64" in message and "wide" in message and "ideal" in message
    assert not (tools.folder / "large.mho").exists()
    tools.compile(tools.folder / "large.onnx", target="ideal")
