"""Speed against ONNX Runtime in one run, and the cost of compiling.

Usage: against_onnxruntime.py [--threads=N] [--models=FOLDER] [--bin=FOLDER] [MODEL...]

For each reference model: mho's float run (--ideal) and its noisy run, both
over ONNX Runtime's float run of the same samples on as many threads, and
mhoc's time and peak memory. mho's time of a run leaves out starting the
program: the same command with one sample is taken off, but for programming
the arrays, which the noisy figure must hold (see `run_seconds`).
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

SOURCE = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "test"))

from harness import Tools  # noqa: E402

# Model, its data, its input.
CASES = {
    "resnet32": ("resnet32", "input"),
    "ds_cnn_kws": ("ds_cnn_kws", "input"),
    "mnist-net_256x4": ("mnist-net_256x4", "0"),
}
REPEATS = 3
SAMPLES = 100


def load(models: Path, name: str) -> dict[str, np.ndarray]:
    data, key = CASES[name]
    with np.load(models / f"{data}.npz") as file:
        values = file[key][:SAMPLES].astype(np.float32)
        if f"scale_{key}" in file.files:
            values = values * file[f"scale_{key}"] + file[f"offset_{key}"]
    return {key: values.astype(np.float32)}


def best(function) -> float:
    """Least wall time of a few calls, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def onnxruntime_seconds(path: Path, inputs: dict, threads: int) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    fixed = session.get_inputs()[0].shape[0] == 1
    (key, values), count = next(iter(inputs.items())), 1 if fixed else SAMPLES
    batches = [{key: values[i : i + count]} for i in range(0, len(values), count)]
    return best(lambda: [session.run(None, batch) for batch in batches])


def run_seconds(tools: Tools, program: Path, inputs: dict, *options) -> float:
    """mho-run on all samples, less a run of --ideal on one: what starting the
    process, reading and verifying the program take."""
    np.savez(tools.folder / "all.npz", **inputs)
    np.savez(tools.folder / "one.npz", **{key: value[:1] for key, value in inputs.items()})

    def seconds(file, *options):
        argv = ["mho-run", program, "--input", tools.folder / file, "--output", tools.folder / "o.npz", *options]
        return min(tools.succeed(*argv, timeout=600).seconds for _ in range(REPEATS))

    return seconds("all.npz", *options) - seconds("one.npz", "--ideal", options[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="MODEL", default=list(CASES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", type=Path, default=SOURCE / ".." / "shared" / "models")
    parser.add_argument("--bin", type=Path, default=SOURCE / "build" / "release" / "bin")
    options = parser.parse_args()
    if not options.models.is_dir():
        sys.exit(f"{options.models} is not here; --models names the reference models' folder")

    print(f"{options.threads} thread(s), {SAMPLES} samples, best of {REPEATS}; times in s")
    print(f"{'model':18} {'ORT':>7} {'ideal':>7} {'ratio':>6} {'noisy':>7} {'ratio':>6} {'compile':>8} {'MB':>5}")
    for name in options.names:
        with tempfile.TemporaryDirectory() as folder:
            tools = Tools(options.bin.resolve(), Path(folder))
            model, inputs = options.models.resolve() / f"{name}.onnx", load(options.models, name)
            np.savez(tools.folder / "cal.npz", **{key: value[:64] for key, value in inputs.items()})
            program = tools.compile(model, f"--calibrate={tools.folder / 'cal.npz'}")
            compiles = [tools.succeed("mhoc", model, "-o", tools.folder / "c.mho") for _ in range(REPEATS)]
            ort = onnxruntime_seconds(model, inputs, options.threads)
            threads = f"--threads={options.threads}"
            ideal = run_seconds(tools, program, inputs, threads, "--ideal")
            noisy = run_seconds(tools, program, inputs, threads, "--noise=all", "--time=1d")
            quick = min(run.seconds for run in compiles)
            peak = max(run.peak_mb for run in compiles)
            print(
                f"{name:18} {ort:7.3f} {ideal:7.3f} {ideal / ort:6.2f} {noisy:7.3f} {noisy / ort:6.2f} "
                f"{quick:8.2f} {peak:5.0f}"
            )


if __name__ == "__main__":
    main()
