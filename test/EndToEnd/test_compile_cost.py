"""Time and memory of compiling: ONNX's own large networks without stored
weights, a sentence encoder, and weights in another file."""

import subprocess
import sys
from pathlib import Path

import onnx
import pytest

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
NETWORKS = sorted(path.stem for path in LIGHT.glob("*.onnx"))
MEGABYTE = 1 << 20


def cost(tools, model, *options):
    """CPU seconds and peak memory, and what memory is allowed for the weights in the program."""
    program = tools.folder / "m.mho"
    runs = [tools.succeed("mhoc", model, "-o", program, "--target=ideal", *options, timeout=300) for _ in range(2)]
    allowed = 1.3 * program.stat().st_size / MEGABYTE + 250
    program.unlink()
    return min(min(run.cpu_seconds, run.seconds) for run in runs), max(run.peak_mb for run in runs), allowed


def test_networks_are_there():
    assert len(NETWORKS) == 9


@pytest.mark.parametrize("name", NETWORKS)
def test_light_networks(tools, name):
    seconds, peak, allowed = cost(tools, LIGHT / f"{name}.onnx")
    assert seconds < 3
    assert peak <= allowed


@pytest.mark.parametrize("name", ["minilm_l6_op18", "minilm_l2_op14"])
def test_sentence_encoder(tools, models, name):
    seconds, peak, allowed = cost(tools, models / f"{name}.onnx", "--shape=time=16")
    assert seconds < 3
    assert peak <= allowed


@pytest.mark.parametrize("form", ["plain", "half", "transposed", "int8", "int4", "few-bits"])
def test_weights_are_not_copied(bin_folder, source, tmp_path, form):
    """67 million weights outside the model, a quarter of a gigabyte as floats: own memory stays that of a small one."""
    script = source / "test" / "Benchmark" / "large_model.py"
    out = subprocess.run(
        [
            sys.executable,
            script,
            "--layers=4",
            "--rows=2048",
            "--columns=8192",
            f"--form={form}",
            f"--folder={tmp_path}",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"MHO_BIN": str(bin_folder), "PATH": "/usr/bin:/bin"},
    ).stdout
    own = int(out.split(" MB of own memory")[0].split()[-1])
    assert own < 150, out
