"""Speed against ONNX Runtime in one run, and the cost of compiling.

Usage: against_onnxruntime.py [--threads=1,2] [--batch=1,16] [--noisy] [--rounds=N]
                              [--models=FOLDER] [--bin=FOLDER] [MODEL...]

For each reference model, mho's float run (target ideal, --ideal) over ONNX
Runtime's of the same samples on as many threads: best call of a few rounds that
take turns, as other work on the machine slows both. mho runs in mho-bench,
without the start of a process; a batch is that many samples in one run. Last
the geometric mean.

--noisy: instead, for the image models on HERMES, 100 images with all noise
after a day, programming included, over ONNX Runtime's float run; and mhoc's
time and peak memory.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime

SOURCE = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "test"))

from harness import Tools  # noqa: E402


@dataclass
class Case:
    """A model, its data, and how its samples are fed."""

    data: str
    #: Input: its type.
    inputs: dict[str, type]
    #: Input without data: its shape for one sample, and the axis of the batch.
    zeros: dict[str, tuple[tuple[int, ...], int]] = field(default_factory=dict)
    #: What mhoc must be told.
    shapes: tuple[str, ...] = ()
    #: The graph takes one sample at a time.
    single: bool = False


CASES = {
    "resnet32": Case("resnet32", {"input": np.float32}),
    "ds_cnn_kws": Case("ds_cnn_kws", {"input": np.float32}),
    "minilm_l6_op18": Case(
        "minilm", {"inputs_embeds": np.float32, "attention_mask": np.int64}, shapes=("batch=1", "time=16")
    ),
    "silero_vad_openvino_16k": Case(
        "silero_vad_16k", {"input": np.float32}, zeros={"state": ((2, 1, 128), 1)}, single=True
    ),
    "magika_v3_3": Case("magika_v3_3", {"bytes": np.int32}),
    "lstm_charlm": Case(
        "lstm_charlm",
        {"ids": np.int64},
        zeros={"h0": ((1, 1, 504), 1), "c0": ((1, 1, 504), 1)},
        shapes=("batch=1", "time=128"),
    ),
}
IMAGES = ("resnet32", "ds_cnn_kws")
ROUND_SECONDS = 0.4


def load(models: Path, name: str, count: int) -> dict[str, np.ndarray]:
    """The first samples of a model's own inputs."""
    arrays = {}
    with np.load(models / f"{CASES[name].data}.npz") as file:
        for key, dtype in CASES[name].inputs.items():
            values = file[key][:count]
            if f"scale_{key}" in file.files:
                values = values.astype(np.float32) * file[f"scale_{key}"] + file[f"offset_{key}"]
            arrays[key] = values.astype(dtype)
    return arrays


class OnnxRuntime:
    def __init__(self, models: Path, name: str, arrays: dict, threads: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            str(models / f"{name}.onnx"), options, providers=["CPUExecutionProvider"]
        )
        case, count = CASES[name], len(next(iter(arrays.values())))
        step = 1 if case.single else count
        self.batches = []
        for start in range(0, count, step):
            batch = {key: value[start : start + step] for key, value in arrays.items()}
            for key, (shape, axis) in case.zeros.items():
                batch[key] = np.zeros([step if i == axis else n for i, n in enumerate(shape)], np.float32)
            self.batches.append(batch)

    def best(self, seconds: float) -> float:
        """Seconds of the quickest pass over all samples."""
        best, end = math.inf, time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            for batch in self.batches:
                self.session.run(None, batch)
            best = min(best, time.perf_counter() - start)
        return best


class Program:
    def __init__(self, tools: Tools, path: Path, name: str, arrays: dict, *options):
        self.tools, self.path = tools, path
        zeros = {key: np.zeros(shape, np.float32) for key, (shape, _) in CASES[name].zeros.items()}
        self.input = tools.folder / "bench.npz"
        np.savez(self.input, **arrays, **zeros)
        self.options = options

    def best(self, seconds: float) -> float:
        """Seconds of the quickest run of all samples."""
        argv = [f"--program={self.path}", f"--input={self.input}", "--benchmark_format=json"]
        argv += ["--benchmark_filter=^program/", f"--benchmark_min_time={seconds}", *self.options]
        ran = self.tools.succeed("mho-bench", *argv, timeout=600)
        return json.loads(ran.out)["benchmarks"][0]["best_us"] * 1e-6


def compare(tools: Tools, models: Path, options) -> None:
    print(f"float, best call of {options.rounds} rounds in turn; times in ms")
    print(f"{'model':24} {'threads':>7} {'batch':>5} {'ORT':>8} {'mho':>8} {'ratio':>6}")
    ratios = []
    for name in options.names or CASES:
        case = CASES[name]
        shapes = [f"--shape={shape}" for shape in case.shapes]
        path = tools.compile(models / f"{name}.onnx", *shapes, target="ideal")
        for batch in options.batch:
            arrays = load(models, name, batch)
            for threads in options.threads:
                theirs = OnnxRuntime(models, name, arrays, threads)
                ours = Program(tools, path, name, arrays, f"--threads={threads}")
                best = [math.inf, math.inf]
                for _ in range(options.rounds):
                    best[0] = min(best[0], theirs.best(ROUND_SECONDS))
                    best[1] = min(best[1], ours.best(ROUND_SECONDS))
                ratios.append(best[1] / best[0])
                times = f"{best[0] * 1e3:8.3f} {best[1] * 1e3:8.3f} {ratios[-1]:6.2f}"
                print(f"{name:24} {threads:7} {batch:5} {times}", flush=True)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean {mean:.2f}, worst {max(ratios):.2f}")


def compare_noisy(tools: Tools, models: Path, options) -> None:
    print("100 samples on HERMES, all noise after a day, programming included; times in s")
    print(f"{'model':18} {'threads':>7} {'ORT':>7} {'noisy':>7} {'ratio':>6} {'compile':>8} {'MB':>5}")
    for name in options.names or IMAGES:
        arrays = load(models, name, 100)
        np.savez(tools.folder / "cal.npz", **{key: value[:64] for key, value in arrays.items()})
        model = models / f"{name}.onnx"
        path = tools.compile(model, f"--calibrate={tools.folder / 'cal.npz'}")
        compiles = [tools.succeed("mhoc", model, "-o", tools.folder / "c.mho") for _ in range(3)]
        for threads in options.threads:
            theirs = OnnxRuntime(models, name, arrays, threads)
            # Programs each time anew: without this option the arrays stay.
            more = ("--noise=all", "--time=1d", "--reprogram", f"--threads={threads}")
            ours = Program(tools, path, name, arrays, *more)
            best = [math.inf, math.inf]
            for _ in range(options.rounds):
                best[0] = min(best[0], theirs.best(ROUND_SECONDS))
                best[1] = min(best[1], ours.best(ROUND_SECONDS))
            quick, peak = min(run.seconds for run in compiles), max(run.peak_mb for run in compiles)
            times = f"{best[0]:7.3f} {best[1]:7.3f} {best[1] / best[0]:6.2f}"
            print(f"{name:18} {threads:7} {times} {quick:8.2f} {peak:5.0f}", flush=True)


def main() -> None:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="MODEL")
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--batch", type=numbers, default=[1, 16])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--noisy", action="store_true")
    parser.add_argument("--models", type=Path, default=SOURCE / ".." / "shared" / "models")
    parser.add_argument("--bin", type=Path, default=SOURCE / "build" / "release" / "bin")
    options = parser.parse_args()
    if not options.models.is_dir():
        sys.exit(f"{options.models} is not here; --models names the reference models' folder")
    with tempfile.TemporaryDirectory() as folder:
        tools = Tools(options.bin.resolve(), Path(folder))
        (compare_noisy if options.noisy else compare)(tools, options.models.resolve(), options)


if __name__ == "__main__":
    main()
