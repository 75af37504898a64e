"""Broken models, data and programs: exit 1, a message that names the thing,
and nothing left behind."""

import os
import random
import resource
import stat
import struct
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from graphs import Graph, last, small_network


def refused(tools, model, *options):
    """Compiles what must be refused; the message, after a look for leftovers."""
    if isinstance(model, onnx.ModelProto):
        onnx.save(model, tools.folder / "bad.onnx")
        model = tools.folder / "bad.onnx"
    before = {path.name for path in tools.folder.iterdir()}
    message = tools.refuse("mhoc", model, "-o", tools.folder / "bad.mho", *options)
    left = {path.name for path in tools.folder.iterdir()} - before - {".stdout", ".stderr"}
    assert not left, f"left behind: {left}"
    return message


# --- models -----------------------------------------------------------------


def network_bytes():
    graph = small_network()
    return graph.model(last(graph)).SerializeToString()


def damage(kind):
    good = network_bytes()
    if kind == "empty":
        return b""
    if kind == "text":
        return b"hello\n" * 100
    if kind == "cut":
        return good[: len(good) // 2]
    if kind == "flipped":
        return bytes(byte ^ 0x5A if i % 97 == 0 else byte for i, byte in enumerate(good))
    return np.random.default_rng(1).bytes(4096)


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "flipped", "noise"])
def test_not_an_onnx_file(tools, kind):
    (tools.folder / "bad.onnx").write_bytes(damage(kind))
    assert "bad.onnx" in refused(tools, tools.folder / "bad.onnx")


def test_every_cut_is_refused_or_compiled(tools):
    """No cut crashes: a prefix may happen to be a whole model."""
    good = network_bytes()
    for length in random.Random(5).sample(range(len(good)), 25):
        (tools.folder / "cut.onnx").write_bytes(good[:length])
        assert tools.run("mhoc", tools.folder / "cut.onnx", "-o", tools.folder / "cut.mho").code in (0, 1)


def test_absent_model(tools):
    assert "absent.onnx" in refused(tools, tools.folder / "absent.onnx")


def test_folder_as_model(tools):
    assert str(tools.folder.name) in refused(tools, tools.folder)


def external(tools, location, write=True, length=None):
    """A product whose weights lie in another file."""
    graph = Graph()
    weight = graph.random(8, 4)
    model = graph.model(graph("MatMul", graph.input(1, 8), graph.weight(values=weight), name="product"))
    tensor = model.graph.initializer[0]
    if write:
        (tools.folder / "weights.bin").write_bytes(weight.tobytes()[:length])
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": location, "offset": "0", "length": str(weight.nbytes)}
    tensor.external_data.extend(onnx.StringStringEntryProto(key=k, value=v) for k, v in entries.items())
    (tools.folder / "bad.onnx").write_bytes(model.SerializeToString())
    return tools.folder / "bad.onnx", graph, weight


def test_external_data_is_read(tools):
    model, graph, weight = external(tools, "weights.bin")
    got = tools.execute(tools.compile(model), graph.feeds, "--ideal")["matmul0"]
    np.testing.assert_allclose(got, graph.feeds["x0"] @ weight, rtol=1e-5)


def test_missing_external_data(tools):
    model, *_ = external(tools, "weights.bin", write=False)
    message = refused(tools, model)
    assert "weights.bin" in message and "w0" in message


def test_short_external_data(tools):
    model, *_ = external(tools, "weights.bin", length=100)
    message = refused(tools, model)
    assert "weights.bin" in message or "w0" in message


@pytest.mark.parametrize("location", ["../outside.bin", "/etc/hostname", "a/../../outside.bin"])
def test_escaping_external_data(tools, location):
    folder = tools.folder / "inner"
    folder.mkdir()
    (tools.folder / "outside.bin").write_bytes(bytes(128))
    model, *_ = external(tools, location)
    model.rename(folder / "bad.onnx")
    assert location in tools.refuse("mhoc", folder / "bad.onnx", "-o", tools.folder / "bad.mho")
    assert not (tools.folder / "bad.mho").exists()


def test_external_data_behind_a_link_that_escapes(tools):
    folder = tools.folder / "inner"
    folder.mkdir()
    model, *_ = external(tools, "weights.bin")
    (tools.folder / "weights.bin").rename(tools.folder / "outside.bin")
    model.rename(folder / "bad.onnx")
    (folder / "weights.bin").symlink_to(tools.folder / "outside.bin")
    assert "weights.bin" in tools.refuse("mhoc", folder / "bad.onnx", "-o", tools.folder / "bad.mho")


def test_all_unknown_operators_are_listed(tools):
    graph = Graph()
    x = graph("Relu", graph.input(2, 3))
    x = graph("Whirl", x, name="spin", domain="com.example")
    x = graph("MatMul", x, graph.weight(3, 3))
    x = graph("Twirl", x, name="turn", domain="com.example")
    message = refused(tools, graph.model(x, check=False))
    for word in ("com.example", "Whirl", "spin", "Twirl", "turn"):
        assert word in message


def test_unknown_default_operator(tools):
    graph = Graph()
    message = refused(tools, graph.model(graph("Frobnicate", graph.input(2, 3), name="odd"), check=False))
    assert "Frobnicate" in message and "odd" in message


def test_unbound_dimension_shows_the_option(tools):
    graph = Graph()
    x = graph.input(2, 3, 5, declared=["batch", "seq", 5])
    message = refused(tools, graph.model(graph("Relu", x)))
    assert "seq" in message and "--shape" in message


def test_shape_for_no_input(tools):
    graph = Graph()
    message = refused(tools, graph.model(graph("Relu", graph.input(2, 3))), "--shape=y=2x3")
    assert "y" in message and "x0" in message


def test_shape_against_the_model(tools):
    graph = Graph()
    message = refused(tools, graph.model(graph("Relu", graph.input(2, 3))), "--shape=x0=2x4")
    assert "x0" in message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_a_number_in_an_arrays_weights(tools, value):
    graph = Graph()
    weight = graph.random(6, 4)
    weight[3, 2] = value
    x = graph("MatMul", graph.input(1, 6), graph.weight(values=weight), name="poisoned")
    message = refused(tools, graph.model(x))
    assert "poisoned" in message or "w0" in message


def test_mask_may_hold_infinity(tools):
    graph = Graph()
    mask = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
    x = graph("Softmax", graph("Add", graph.input(4, 4), graph.weight(values=mask)))
    got = tools.execute(tools.compile(graph.model(x)), graph.feeds, "--ideal")
    assert np.allclose(next(iter(got.values())).sum(-1), 1)


def test_shape_that_does_not_fit(tools):
    graph = Graph()
    x = graph("MatMul", graph.input(1, 6), graph.weight(7, 4), name="misfit")
    assert "misfit" in refused(tools, graph.model(x, check=False))


def test_cyclic_graph(tools):
    graph = Graph()
    graph.input(2, 3)
    nodes = [
        helper.make_node("Add", ["x0", "b"], ["a"], "one"),
        helper.make_node("Relu", ["a"], ["b"], "two"),
    ]
    graph.nodes.extend(nodes)
    refused(tools, graph.model("b", check=False))


def test_huge_declaration_is_refused_at_once(tools):
    graph = Graph()
    model = graph.model(graph("Relu", graph.input(2, 3)))
    for dim in model.graph.input[0].type.tensor_type.shape.dim:
        dim.dim_value = 1 << 40
    for dim in model.graph.output[0].type.tensor_type.shape.dim:
        dim.dim_value = 1 << 40
    refused(tools, model)


def test_initializer_shorter_than_its_shape(tools):
    graph = Graph()
    model = graph.model(graph("MatMul", graph.input(1, 6), graph.weight(6, 4), name="product"))
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:40]
    assert "w0" in refused(tools, model)


def test_unknown_target(tools):
    graph = Graph()
    message = refused(tools, graph.model(graph("Relu", graph.input(2, 3))), "--target=enigma")
    assert "enigma" in message and "hermes" in message


def test_broken_chip_file(tools):
    (tools.folder / "chip.yaml").write_text("name: mine\nnonsense: [1, 2\n")
    graph = Graph()
    model = graph.model(graph("Relu", graph.input(2, 3)))
    assert "chip.yaml:" in refused(tools, model, f"--target={tools.folder / 'chip.yaml'}")


# --- data -------------------------------------------------------------------


@pytest.fixture
def program(tools):
    graph = small_network()
    return tools.compile(graph.model(last(graph)), "--shape=x0=1x3x9x7")


WRONG_DATA = {
    "misnamed": ({"image": np.zeros((1, 3, 9, 7), np.float32)}, "x0"),
    "rank": ({"x0": np.zeros((3, 9), np.float32)}, "x0"),
    "extent": ({"x0": np.zeros((1, 3, 9, 8), np.float32)}, "x0"),
    "text": ({"x0": np.full((1, 3, 9, 7), "a")}, "x0"),
    "complex": ({"x0": np.zeros((1, 3, 9, 7), np.complex64)}, "x0"),
    "empty": ({"x0": np.zeros((0, 3, 9, 7), np.float32)}, "x0"),
    "objects": ({"x0": np.full((1, 3, 9, 7), None)}, "x0"),
}


@pytest.mark.parametrize("kind", WRONG_DATA)
def test_wrong_arrays(tools, program, kind):
    arrays, word = WRONG_DATA[kind]
    np.savez(tools.folder / "bad.npz", **arrays)
    output = tools.folder / "o.npz"
    message = tools.refuse("mho-run", program, "--input", tools.folder / "bad.npz", "--output", output)
    assert word in message
    assert "bad.npz" in message
    assert not output.exists()


def test_wrong_calibration(tools):
    graph = small_network()
    np.savez(tools.folder / "cal.npz", image=np.zeros((1, 3, 9, 7), np.float32))
    message = refused(tools, graph.model(last(graph)), f"--calibrate={tools.folder / 'cal.npz'}")
    assert "x0" in message


@pytest.mark.parametrize("kind", ["absent", "empty", "text", "cut", "flipped"])
def test_broken_npz(tools, program, kind):
    path = tools.folder / "bad.npz"
    np.savez(path, x0=np.zeros((1, 3, 9, 7), np.float32))
    good = path.read_bytes()
    changed = {
        "empty": b"",
        "text": b"hello\n" * 10,
        "cut": good[: len(good) // 2],
        "flipped": good[:150] + bytes([good[150] ^ 255]) + good[151:],
    }
    path.unlink()
    if kind in changed:
        path.write_bytes(changed[kind])
    output = tools.folder / "o.npz"
    assert "bad.npz" in tools.refuse("mho-run", program, "--input", path, "--output", output)
    assert not output.exists()


HEADERS = {
    "version": (9, "(1, 3, 9, 7)", "version 9"),
    "axes": (1, "(" + "1, " * 65 + ")", "axes"),
    "nested": (1, "((1, 3), 9, 7)", "(1"),
    "negative": (1, "(-1, 3, 9, 7)", "-1"),
    "beyond 64 bits": (1, "(18446744073709551617,)", "18446744073709551617"),
    "beyond any file": (1, "(1099511627776, 1099511627776)", "more elements"),
    "short": (1, "(2, 3, 9, 7)", "cut off"),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_header_of_an_array(tools, program, kind):
    version, shape, word = HEADERS[kind]
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    content = b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header + bytes(189 * 4)
    with zipfile.ZipFile(tools.folder / "bad.npz", "w") as archive:
        archive.writestr("x0.npy", content)
    message = tools.refuse("mho-run", program, "--input", tools.folder / "bad.npz")
    assert "bad.npz" in message and "x0" in message and word in message


def test_layouts_that_numpy_writes(tools, program):
    """Column-major and big-endian arrays, compressed and 64-bit archives."""
    image = np.random.default_rng(3).standard_normal((2, 3, 9, 7)).astype(np.float32)
    wanted = tools.execute(program, {"x0": image}, "--ideal")
    path = tools.folder / "odd.npz"

    def check():
        got = tools.execute(program, path, "--ideal")
        assert all(np.array_equal(got[name], wanted[name]) for name in wanted)

    np.savez(path, x0=np.asfortranarray(image))
    check()
    np.savez(path, x0=image.astype(">f4"))
    check()
    np.savez_compressed(path, x0=image)
    check()
    with zipfile.ZipFile(path, "w") as archive, archive.open("x0.npy", "w", force_zip64=True) as file:
        np.save(file, image)
    check()


def test_metric_without_its_array(tools, program):
    np.savez(tools.folder / "in.npz", x0=np.zeros((2, 3, 9, 7), np.float32))
    message = tools.refuse("mho-run", program, "--input", tools.folder / "in.npz", "--metric=accuracy:labels")
    assert "labels" in message


def test_further_arrays_are_passed_over_with_a_note(tools, program):
    np.savez(tools.folder / "in.npz", x0=np.zeros((2, 3, 9, 7), np.float32), weather=np.zeros(3))
    ran = tools.succeed("mho-run", program, "--input", tools.folder / "in.npz", "--ideal")
    assert "weather" in ran.err


def test_integers_are_cast_where_nothing_is_lost(tools, program):
    small = {"x0": np.arange(189).reshape(1, 3, 9, 7)}
    as_float = {"x0": small["x0"].astype(np.float32)}
    got, wanted = (tools.execute(program, inputs, "--ideal") for inputs in (small, as_float))
    assert all(np.array_equal(got[name], wanted[name]) for name in wanted)
    np.savez(tools.folder / "bad.npz", x0=np.full((1, 3, 9, 7), (1 << 40) + 1))
    assert "x0" in tools.refuse("mho-run", program, "--input", tools.folder / "bad.npz")


# --- programs ---------------------------------------------------------------


def run_broken(tools, content):
    (tools.folder / "broken.mho").write_bytes(content)
    np.savez(tools.folder / "in.npz", x0=np.zeros((1, 3, 9, 7), np.float32))
    argv = ["mho-run", tools.folder / "broken.mho", "--input", tools.folder / "in.npz", "--ideal"]
    return tools.run(*argv, timeout=30)


@pytest.mark.parametrize("part", [0, 0.01, 0.3, 0.7, 0.999])
def test_cut_program(tools, program, part):
    good = program.read_bytes()
    ran = run_broken(tools, good[: int(len(good) * part)])
    assert ran.code == 1
    assert "broken.mho" in ran.err


def test_flipped_bits_are_noticed(tools, program):
    """A section's checksum, or the structure's check, tells every flip."""
    good = program.read_bytes()
    chance = random.Random(7)
    unnoticed = 0
    for attempt in range(40):
        content = bytearray(good)
        place = chance.randrange(len(good) if attempt % 2 else min(len(good), 4096))
        content[place] ^= 1 << chance.randrange(8)
        ran = run_broken(tools, bytes(content))
        assert ran.code in (0, 1), f"byte {place} flipped: exit {ran.code} {ran.err[-300:]}"
        unnoticed += ran.code == 0
    assert unnoticed <= 4, "only padding between sections may go unnoticed"


def test_text_as_program(tools):
    ran = run_broken(tools, b"hello\n" * 100)
    assert ran.code == 1
    assert "broken.mho" in ran.err


# --- a full disk ------------------------------------------------------------


def limited(argv, folder):
    """Runs a command that may write no file beyond 20 kB."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    # SIGXFSZ stays ignored, so that writing fails as on a full disk.
    return subprocess.run(
        list(map(str, argv)), cwd=folder, capture_output=True, text=True, preexec_fn=limit, restore_signals=False
    )


def test_full_disk(tools):
    graph = Graph()
    model = graph.model(graph("MatMul", graph.input(1, 256), graph.weight(256, 256)))
    program = tools.compile(model)
    folder = tools.folder / "disk"
    folder.mkdir()
    ran = limited([tools.bin_folder / "mhoc", tools.folder / "model.onnx", "-o", folder / "full.mho"], tools.folder)
    assert ran.returncode == 1 and "full.mho" in ran.stderr
    assert not list(folder.iterdir()), "nothing half-written is left"

    np.savez(tools.folder / "in.npz", x0=np.zeros((64, 256), np.float32))
    argv = [tools.bin_folder / "mho-run", program, "--input", tools.folder / "in.npz"]
    ran = limited([*argv, "--output", folder / "full.npz"], tools.folder)
    assert ran.returncode == 1 and "full.npz" in ran.stderr
    assert not list(folder.iterdir()), "nothing half-written is left"


@pytest.mark.parametrize("shown", ["explain", "targets", "operators", "text", "header", "disassembly", "report"])
def test_full_standard_output(tools, program, shown):
    np.savez(tools.folder / "in.npz", x0=np.zeros((1, 3, 9, 7), np.float32))
    argv = {
        "explain": ["mhoc", tools.folder / "model.onnx", "--explain"],
        "targets": ["mhoc", "--list-targets"],
        "operators": ["mhoc", "--list-operators"],
        "text": ["mhoc", tools.folder / "model.onnx", "--compile-to=graph", "-o", "-"],
        "header": ["mho-objdump", program],
        "disassembly": ["mho-objdump", program, "--disassemble"],
        "report": ["mho-run", program, "--input", tools.folder / "in.npz"],
    }[shown]
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [str(tools.bin_folder / argv[0]), *map(str, argv[1:])], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ran.returncode == 1
    assert "cannot write to stdout: No space left on device" in ran.stderr
    assert "LLVM ERROR" not in ran.stderr


def test_output_folder_that_is_absent(tools, program):
    np.savez(tools.folder / "in.npz", x0=np.zeros((1, 3, 9, 7), np.float32))
    argv = ["mho-run", program, "--input", tools.folder / "in.npz", "--output", tools.folder / "no/where.npz"]
    assert "where.npz" in tools.refuse(*argv)


def test_a_pipe_is_written_to_and_not_replaced(tools, program):
    """Nor is a device: `-o /dev/null` once made it a file."""
    np.savez(tools.folder / "in.npz", x0=np.zeros((1, 3, 9, 7), np.float32))
    pipe = tools.folder / "pipe"
    os.mkfifo(pipe)
    text = ["mhoc", tools.folder / "model.onnx", "--shape=x0=1x3x9x7", "--compile-to=graph", "-o"]
    arrays = ["mho-run", program, "--input", tools.folder / "in.npz", "--output"]
    for argv in (text, arrays):
        with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
            tools.succeed(*argv, pipe)
            got = reader.stdout.read()
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        tools.succeed(*argv, tools.folder / "file")
        assert got == (tools.folder / "file").read_bytes()


def test_a_binary_into_a_pipe(tools, program):
    """The header is written last: a pipe cannot go back, and stays a pipe."""
    pipe = tools.folder / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.DEVNULL):
        message = tools.refuse("mhoc", tools.folder / "model.onnx", "--shape=x0=1x3x9x7", "-o", pipe)
    assert "pipe" in message and stat.S_ISFIFO(pipe.stat().st_mode)


def test_full_device(tools, program):
    """Tried only on what is a device: a fault must not make it a file."""
    full = Path("/dev/full")
    if not full.is_char_device():
        pytest.skip("/dev/full is no device here")
    np.savez(tools.folder / "in.npz", x0=np.zeros((1, 3, 9, 7), np.float32))
    link = tools.folder / "full"
    link.symlink_to(full)
    compiling = ["mhoc", tools.folder / "model.onnx", "--shape=x0=1x3x9x7"]
    running = ["mho-run", program, "--input", tools.folder / "in.npz"]
    for argv in (
        [*compiling, "-o", link],
        [*compiling, "--compile-to=graph", "-o", link],
        [*running, "--output", link],
        [*running, f"--report={link}"],
    ):
        assert "full" in tools.refuse(*argv)
        assert link.is_symlink() and full.is_char_device()


def test_compiling_over_the_model_itself(tools):
    """Its weights are mapped while they are written."""
    graph = small_network()
    model = graph.model(last(graph))
    wanted = tools.compile(model).read_bytes()
    (tools.folder / "model.onnx").rename(tools.folder / "both")
    tools.succeed("mhoc", tools.folder / "both", "--target=hermes", "-o", tools.folder / "other.mho")
    tools.succeed("mhoc", tools.folder / "both", "--target=hermes", "-o", tools.folder / "both")
    assert (tools.folder / "both").read_bytes() == (tools.folder / "other.mho").read_bytes()
    assert len(wanted) == (tools.folder / "both").stat().st_size


# --- wrong usage --------------------------------------------------------------


@pytest.mark.parametrize(
    "option",
    [
        "--seed=-1",
        "--seed=x",
        "--instances=0",
        "--instances=4294967296",
        "--threads=-1",
        "--threads=100000",
        "--time=-1s",
        "--time=nan",
        "--temperature=-300C",
        "--temperature=-1K",
        "--compensation=some",
        "--metric=accuracy",
        "--metric=beauty:labels",
        "--atol=-1",
        "--rtol=nan",
        "--noise=loud",
        "--noise=all,,",
        "--state=x0",
    ],
)
def test_options_of_mho_run_out_of_range(tools, program, option):
    np.savez(tools.folder / "in.npz", x0=np.zeros((1, 3, 9, 7), np.float32))
    ran = tools.run("mho-run", program, "--input", tools.folder / "in.npz", option)
    assert ran.code == 2, ran.err
    assert option.split("=")[0] in ran.err and len(ran.err.strip().splitlines()) == 1


@pytest.mark.parametrize("option", ["--calibrate=", "--report=", "--dump-phases=", "--seed=-1", "--compile-to=steel"])
def test_options_of_mhoc_out_of_range(tools, digits, option):
    ran = tools.run("mhoc", digits / "digits.onnx", "-o", tools.folder / "m.mho", option)
    assert ran.code == 2, ran.err
    assert option.split("=")[0].strip("-") in ran.err and not (tools.folder / "m.mho").exists()


def test_failing_compile_keeps_the_old_output(tools):
    old = tools.folder / "kept.mho"
    old.write_bytes(b"old")
    (tools.folder / "bad.onnx").write_bytes(b"nonsense")
    tools.refuse("mhoc", tools.folder / "bad.onnx", "-o", old)
    assert old.read_bytes() == b"old"
