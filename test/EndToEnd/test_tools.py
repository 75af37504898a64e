"""The compiler's phases, explanations and bytes, and the disassembler."""

import pytest

PHASES = {"graph": "graph.", "analog": "analog.matmul", "placed": "analog.mvm", "tile": "tile.mvm"}


@pytest.mark.parametrize("phase", PHASES)
def test_phase_prints_and_reads_back(tools, digits, phase):
    first, second = tools.folder / "a.mlir", tools.folder / "b.mlir"
    tools.succeed("mhoc", digits / "digits.onnx", "-o", first, f"--compile-to={phase}")
    printed = tools.succeed("mho-opt", first).out
    assert PHASES[phase] in printed
    second.write_text(printed)
    assert tools.succeed("mho-opt", second).out == printed


def test_text_goes_to_stdout(tools, digits):
    ran = tools.succeed("mhoc", digits / "digits.onnx", "-o", "-", "--compile-to=placed")
    assert "analog.bank" in ran.out


def test_text_holds_no_weights(tools, digits):
    ran = tools.succeed("mhoc", digits / "digits.onnx", "-o", "-", "--compile-to=graph")
    assert len(ran.out) < 30_000


def test_dump_phases(tools, digits):
    folder = tools.folder / "phases"
    tools.succeed("mhoc", digits / "digits.onnx", "-o", tools.folder / "m.mho", f"--dump-phases={folder}")
    names = sorted(path.name for path in folder.iterdir())
    assert names[:4] == ["0-graph.mlir", "1-analog.mlir", "2-placed.mlir", "3-tile.mlir"]
    assert "conv2" in (folder / "3-tile.mlir").read_text(), "locations are printed"


def test_same_bytes(tools, digits):
    programs = []
    for name in ("a.mho", "b.mho"):
        tools.succeed("mhoc", digits / "digits.onnx", "-o", tools.folder / name)
        programs.append((tools.folder / name).read_bytes())
    assert programs[0] == programs[1]


def test_explain_names_every_node(tools, digits):
    import onnx

    out = tools.succeed("mhoc", digits / "digits.onnx", "--explain").out
    for node in onnx.load(digits / "digits.onnx").graph.node:
        assert node.name in out


def test_list_targets(tools):
    out = tools.succeed("mhoc", "--list-targets").out
    names = [line.split()[0] for line in out.splitlines() if line.strip()]
    assert {"hermes", "ideal"} <= set(names)


def test_batch_is_bound_with_a_note(tools, digits):
    ran = tools.succeed("mhoc", digits / "digits.onnx", "-o", tools.folder / "m.mho")
    assert "batch" in ran.err
    bound = tools.succeed("mhoc", digits / "digits.onnx", "-o", tools.folder / "m.mho", "--shape=image=1x1x8x8")
    assert "batch" not in bound.err


def test_disassembly(tools, digits):
    program = tools.compile(digits / "digits.onnx")
    out = tools.succeed("mho-objdump", program, "--disassemble").out
    for word in ("tile.mvm", "tile.kernel", "conv3"):
        assert word in out
    header = tools.succeed("mho-objdump", program, "--header").out
    assert "hermes" in header
    (tools.folder / "d.mlir").write_text(out)
    tools.succeed("mho-opt", tools.folder / "d.mlir")


def test_read_modes(tools, digits):
    tools.compile(digits / "digits.onnx", "--read-mode=1-phase")
    options = ["-o", tools.folder / "m.mho", "--read-mode=9-phase"]
    assert "4-phase" in tools.refuse("mhoc", digits / "digits.onnx", *options)


def test_compile_report(tools, digits):
    import json

    report = tools.folder / "r.json"
    tools.succeed("mhoc", digits / "digits.onnx", "-o", tools.folder / "m.mho", f"--report={report}")
    assert json.loads(report.read_text())["arrays"]["used"] >= 4


def test_constant_input(tools):
    import numpy as np
    import onnx
    from onnx import helper

    from graphs import Graph

    graph = Graph()
    x = graph.input(2, 6)
    target = helper.make_tensor_value_info("target", onnx.TensorProto.INT64, [2])
    graph.inputs.append(target)
    onnx.save(graph.model(graph("Reshape", x, "target"), check=False), tools.folder / "m.onnx")
    message = tools.refuse("mhoc", tools.folder / "m.onnx", "-o", tools.folder / "m.mho")
    assert "--constant" in message and "target" in message
    np.savez(tools.folder / "k.npz", key=np.array([3, 4], np.int64))
    program = tools.compile(tools.folder / "m.onnx", f"--constant=target={tools.folder / 'k.npz'}:key")
    assert tools.execute(program, graph.feeds, "--ideal")["reshape0"].shape == (3, 4)
