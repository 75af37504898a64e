"""mho-run's options on the demo's model: noise, seeds, metrics, reports."""

import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def program(bin_folder, digits, tmp_path_factory):
    from harness import Tools

    tools = Tools(bin_folder, tmp_path_factory.mktemp("program"))
    return tools.compile(digits / "digits.onnx", f"--calibrate={digits / 'calibration.npz'}")


@pytest.fixture(scope="module")
def data(digits):
    return digits / "test.npz"


def images(data, count):
    with np.load(data) as file:
        return {"image": file["image"][:count]}


def test_none_is_ideal(tools, program, data):
    inputs = images(data, 8)
    ideal, none = tools.execute(program, inputs, "--ideal"), tools.execute(program, inputs, "--noise=none")
    assert ideal["logits"].tobytes() == none["logits"].tobytes()


def test_ideal_accuracy_is_the_models(tools, program, data):
    ran = tools.succeed("mho-run", program, "--input", data, "--ideal", "--metric=accuracy:labels")
    assert "accuracy" in ran.out and "0.99" in ran.out or "99." in ran.out


def test_noisy_accuracy_after_a_day(tools, program, data):
    report = tools.folder / "r.json"
    options = ["--noise=all", "--time=1d", "--instances=3", "--metric=accuracy:labels", f"--report={report}"]
    tools.succeed("mho-run", program, "--input", data, *options)
    accuracy = json.loads(report.read_text())["metrics"]["accuracy"]
    assert accuracy["instances"] == 3
    assert 0.85 < accuracy["value"] <= 1
    assert accuracy["std"] >= 0 and accuracy["ci95"]


@pytest.mark.parametrize("effect", ["quantization", "programming", "drift", "read"])
def test_effect_alone_changes_the_outputs(tools, program, data, effect):
    inputs = images(data, 4)
    ideal = tools.execute(program, inputs, "--ideal")["logits"]
    alone = tools.execute(program, inputs, f"--noise={effect}", "--time=30d")["logits"]
    assert not np.array_equal(ideal, alone)
    assert np.abs(ideal - alone).max() < np.abs(ideal).max()


def test_minus_removes_an_effect(tools, program, data):
    inputs = images(data, 4)
    less = tools.execute(program, inputs, "--noise=all,-programming,-drift,-read", "--time=1d")["logits"]
    quantized = tools.execute(program, inputs, "--noise=quantization,output,adc,dac")["logits"]
    assert np.array_equal(less, quantized)


def test_unknown_effect_is_wrong_usage(tools, program, data):
    ran = tools.run("mho-run", program, "--input", data, "--noise=thunder")
    assert ran.code == 2
    assert "thunder" in ran.err and "programming" in ran.err


@pytest.mark.parametrize("tool", ["mhoc", "mho-run", "mho-objdump"])
def test_unknown_option_is_wrong_usage(tools, tool):
    assert tools.run(tool, "--no-such-option").code == 2
    assert tools.run(tool).code == 2


def test_seed_decides(tools, program, data):
    inputs = images(data, 4)
    one, again, two = (tools.execute(program, inputs, f"--seed={seed}")["logits"] for seed in (1, 1, 2))
    assert one.tobytes() == again.tobytes() != two.tobytes()


def test_samples_do_not_depend_on_their_company(tools, program, data):
    """The first sample's result is the same alone and among 40 others."""
    alone = tools.execute(program, images(data, 1), "--ideal")["logits"]
    among = tools.execute(program, images(data, 41), "--ideal")["logits"]
    assert alone[0].tobytes() == among[0].tobytes()


def test_instances_lead_the_outputs(tools, program, data):
    inputs = images(data, 3)
    assert tools.execute(program, inputs)["logits"].shape == (3, 10)
    assert tools.execute(program, inputs, "--instances=1")["logits"].shape == (1, 3, 10)
    assert tools.execute(program, inputs, "--instances=2")["logits"].shape == (2, 3, 10)


def test_extra_leading_axis_runs_n_times(tools, program, data):
    inputs = {"image": images(data, 3)["image"][:, None]}
    assert tools.execute(program, inputs, "--ideal")["logits"].shape == (3, 1, 10)


def test_drift_grows_with_time(tools, program, data):
    inputs = images(data, 16)
    ideal = tools.execute(program, inputs, "--ideal")["logits"]
    errors = [
        np.abs(
            tools.execute(program, inputs, "--noise=drift", f"--time={t}", "--compensation=none")["logits"] - ideal
        ).mean()
        for t in ("25s", "1d", "1y")
    ]
    assert errors[0] < errors[1] < errors[2]


def test_compare_passes_and_fails(tools, program, data):
    inputs = images(data, 4)
    np.savez(tools.folder / "ref.npz", **tools.execute(program, inputs, "--ideal"))
    common = ["mho-run", program, "--input", tools.folder / "in.npz", "--ideal"]
    same = tools.succeed(*common, f"--compare={tools.folder / 'ref.npz'}", "--atol=1e-6")
    assert "logits" in same.out
    off = np.load(tools.folder / "ref.npz")["logits"].copy()
    off[2, 3] += 1
    np.savez(tools.folder / "ref.npz", logits=off)
    ran = tools.run(*common, f"--compare={tools.folder / 'ref.npz'}", "--atol=1e-3")
    assert ran.code == 1
    assert "2" in ran.out and "3" in ran.out


def test_mse_metric(tools, program, data):
    inputs = images(data, 4)
    wanted = tools.execute(program, inputs, "--ideal")["logits"]
    np.savez(tools.folder / "in.npz", target=wanted + 0.5, **inputs)
    report = tools.folder / "r.json"
    options = ["--ideal", "--metric=mse:target", f"--report={report}"]
    tools.succeed("mho-run", program, "--input", tools.folder / "in.npz", *options)
    assert abs(json.loads(report.read_text())["metrics"]["mse"]["value"] - 0.25) < 1e-5


def test_attribute_noise_tabulates(tools, program, data):
    np.savez(tools.folder / "few.npz", labels=np.load(data)["labels"][:32], **images(data, 32))
    options = ["--attribute-noise", "--metric=accuracy:labels", "--time=1d"]
    out = tools.succeed("mho-run", program, "--input", tools.folder / "few.npz", *options).out
    for effect in ("quantization", "programming", "drift", "read"):
        assert effect in out


def test_report_keys(tools, program, data):
    report = tools.folder / "r.json"
    tools.succeed("mho-run", program, "--input", data, "--ideal", f"--report={report}")
    made = json.loads(report.read_text())
    keys = "schema model target arrays chips latency_s initiation_interval_s throughput_per_s energy_j area_mm2 tops"
    keys += " tops_per_w mvm_only layers metrics settings provenance"
    assert not set(keys.split()) - set(made)
    assert {"used", "available", "utilization"} <= set(made["arrays"])
    energy = made["energy_j"]
    parts = ("mvm", "converters", "digital", "communication", "memory", "passive")
    assert abs(energy["total"] - sum(energy[part] for part in parts)) <= 1e-6 * energy["total"]
    assert made["latency_s"] > 0 and made["throughput_per_s"] > 0
    nodes = {layer["node"] for layer in made["layers"]}
    assert {"conv1", "conv2", "conv3", "dense"} <= nodes
    assert all({"key", "value", "unit", "kind", "source"} <= set(number) for number in made["provenance"])


def test_nothing_but_output_on_stdout_in_a_pipe(tools, program, data):
    """Progress is for terminals only."""
    ran = tools.succeed("mho-run", program, "--input", data, "--output", tools.folder / "o.npz", "--instances=2")
    assert "\r" not in ran.out + ran.err
