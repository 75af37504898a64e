"""The Python package: what compiling and running give, and how they fail."""

import subprocess
import sys
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from graphs import Graph, last, small_network
from harness import reference, relative_error


def test_compile_and_run_from_memory(mho):
    graph = small_network()
    model = graph.model(last(graph))
    program = mho.compile(model, target="ideal")
    result = program.run(graph.feeds, ideal=True)
    wanted = reference(model, graph.feeds)
    assert list(result.outputs) == list(wanted)
    for name, array in wanted.items():
        assert result.outputs[name].dtype == array.dtype
        assert relative_error(result.outputs[name], array) < 1e-5


def test_program_is_the_same_as_mhocs(mho, tools):
    """One compiler: the package's bytes are the tool's."""
    graph = small_network()
    model = graph.model(last(graph))
    program = tools.compile(model)
    mho.compile(tools.folder / "model.onnx").save(tools.folder / "python.mho")
    assert (tools.folder / "python.mho").read_bytes() == program.read_bytes()
    assert mho.load(program).disassemble() == tools.succeed("mho-objdump", "--disassemble", program).out


def test_noise_instances_and_metrics(mho, tools):
    """The numbers are mho-run's."""
    graph = small_network()
    program = mho.compile(graph.model(last(graph)), calibrate=graph.feeds)
    labels = np.array([1], np.int64)
    inputs = {**graph.feeds, "labels": labels}
    result = program.run(inputs, instances=3, seed=5, time="1h", metrics=["accuracy:labels"])
    (output,) = result.outputs.values()
    assert output.shape == (3, 1, 5)
    assert len({row.tobytes() for row in output}) == 3
    assert not any("labels" in note for note in result.notes)
    accuracy = result.metrics["accuracy"]
    assert accuracy.value == np.mean(output[:, 0].argmax(-1) == 1) and len(accuracy.values) == 3
    assert result.report["settings"]["time_s"] == 3600
    assert result.report["metrics"]["accuracy"]["value"] == accuracy.value
    assert "<table>" in result.report._repr_html_()

    program.save(tools.folder / "p.mho")
    options = ["--instances=3", "--seed=5", "--time=1h", "--metric=accuracy:labels"]
    by_tool = tools.execute(tools.folder / "p.mho", inputs, *options)
    assert next(iter(by_tool.values())).tobytes() == output.tobytes()


def test_errors_are_the_tools_text(mho, tools):
    graph = Graph()
    model = graph.model(graph("Nonsense", graph.input(2, 3), domain="nowhere"), check=False)
    with pytest.raises(mho.CompileError, match="Nonsense is not supported") as caught:
        mho.compile(model)
    onnx.save(model, tools.folder / "model")
    assert str(caught.value) in tools.refuse("mhoc", tools.folder / "model", "-o", "x.mho")

    graph = Graph()
    program = mho.compile(graph.model(graph("Relu", graph.input(2, 3))), target="ideal")
    with pytest.raises(mho.ProgramError, match="array 'x0' is missing"):
        program.run({})
    with pytest.raises(mho.ProgramError, match="unknown effect 'sun'"):
        program.run(graph.feeds, noise="sun")
    with pytest.raises(mho.ProgramError, match="nothing.mho"):
        mho.load(tools.folder / "nothing.mho")
    with pytest.raises(TypeError, match="not supported"):
        program.run({"x0": np.array(["text"])})


def test_inputs_to_freeze_are_named(mho):
    """Also where the value that steers is computed from the input."""
    graph = Graph()
    x, to = graph.input(2, 6), graph.input(values=np.array([1, 2], np.int64))
    model = graph.model(graph("Reshape", x, graph("Add", to, graph.int64(2, 2))), check=False)
    with pytest.raises(mho.CompileError, match="--constant=x1=VALUE") as caught:
        mho.compile(model, target="ideal")
    assert caught.value.freeze == ("x1",)
    program = mho.compile(model, target="ideal", constants={"x1": graph.feeds["x1"]})
    (output,) = program.run({"x0": graph.feeds["x0"]}, ideal=True).outputs.values()
    assert np.array_equal(output, graph.feeds["x0"].reshape(3, 4))


def test_constants_keep_every_bit(mho):
    """The largest int64 is no double."""
    graph = Graph()
    x = graph.input(7, 2)
    starts, ends = (graph.input(values=np.array([value], np.int64)) for value in (1, np.iinfo(np.int64).max))
    model = graph.model(graph("Slice", x, starts, ends), check=False)
    program = mho.compile(model, target="ideal", constants={name: graph.feeds[name] for name in (starts, ends)})
    (output,) = program.run({x: graph.feeds[x]}, ideal=True).outputs.values()
    assert np.array_equal(output, graph.feeds[x][1:])


def test_phases_print(mho):
    graph = small_network()
    program = mho.compile(graph.model(last(graph)))
    assert "graph.conv" in program.ir("graph")
    assert "analog.bank" in program.ir("placed")
    with pytest.raises(mho.CompileError, match="expected phase"):
        program.ir("nonsense")


def test_external_data_of_a_model_in_memory(mho, tmp_path):
    graph = Graph()
    model = graph.model(graph("MatMul", graph.input(3, 40), graph.weight(40, 50)))
    wanted = next(iter(reference(model, graph.feeds).values()))
    onnx.save_model(model, tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0, location="w.bin")
    light = onnx.load(tmp_path / "m.onnx", load_external_data=False)
    with pytest.raises(mho.CompileError, match="without the folder"):
        mho.compile(light, target="ideal")
    program = mho.compile(light, target="ideal", folder=tmp_path)
    (output,) = program.run(graph.feeds, ideal=True).outputs.values()
    assert relative_error(output, wanted) < 1e-5


def test_targets(mho):
    assert {"hermes", "ideal"} <= set(mho.targets())


def test_programs_run_in_threads(mho):
    """The lock of Python is free while a program runs, and results stay apart."""
    graph = small_network()
    program = mho.compile(graph.model(last(graph)))
    wanted = [program.run(graph.feeds, seed=seed).outputs for seed in range(4)]
    found = [None] * 4

    def run(seed):
        found[seed] = program.run(graph.feeds, seed=seed).outputs

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, want in zip(found, wanted, strict=True):
        assert all(np.array_equal(got[name], want[name]) for name in want)


class TestBackend:
    """mho.onnx_backend beyond what the official tests use."""

    def test_runs_a_node(self, mho):
        node = helper.make_node("Add", ["a", "b"], ["c"])
        a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.float32([1, 2, 3])
        (c,) = mho.onnx_backend.run_node(node, [a, b])
        assert np.array_equal(c, a + b)

    def test_specialises_by_value_and_keeps_programs(self, mho):
        graph = Graph()
        x, to = graph.input(2, 6), graph.input(values=np.array([3, 4], np.int64))
        prepared = mho.onnx_backend.prepare(graph.model(graph("Reshape", x, to), check=False))
        for shape in ((3, 4), (12, 1), (3, 4)):
            (y,) = prepared.run([graph.feeds[x], np.array(shape, np.int64)])
            assert np.array_equal(y, graph.feeds[x].reshape(shape))
        assert len(prepared._programs) == 2

    def test_symbols_follow_the_arrays(self, mho):
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
        model = helper.make_model(helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y]))
        prepared = mho.onnx_backend.prepare(model)
        for n in (2, 5):
            value = np.ones((n, 3), np.float32)
            assert np.array_equal(prepared.run(value)[0], -value)

    def test_knows_its_device(self, mho):
        assert mho.onnx_backend.supports_device("CPU") and not mho.onnx_backend.supports_device("CUDA")
        with pytest.raises(ValueError, match="device CPU"):
            mho.onnx_backend.prepare(onnx.ModelProto(), "CUDA")


def test_imports_without_onnx(package):
    """The package itself needs NumPy and ml_dtypes alone."""
    code = "import sys; import mho; assert 'onnx' not in sys.modules; print(mho.targets()['ideal'])"
    ran = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(package)}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
