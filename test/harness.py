"""Runs mho's tools as a user's script would, and compares what they give."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


@dataclass
class Ran:
    code: int
    out: str
    err: str
    seconds: float
    peak_mb: float
    # What the process itself computed, whatever else the machine did.
    cpu_seconds: float


class Tools:
    """mhoc and its companions, run in one folder."""

    def __init__(self, bin_folder: Path, folder: Path):
        self.bin_folder, self.folder = bin_folder, folder

    def run(self, tool: str, *arguments, timeout: float = 120) -> Ran:
        argv = [str(self.bin_folder / tool), *map(str, arguments)]
        start = time.perf_counter()
        out_path, err_path = self.folder / ".stdout", self.folder / ".stderr"
        with open(out_path, "w+b") as out, open(err_path, "w+b") as err:
            child = subprocess.Popen(argv, stdout=out, stderr=err, cwd=self.folder)
            # wait4 also tells the child's own peak memory.
            code, usage = None, None
            while code is None and time.perf_counter() - start < timeout:
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
                if pid:
                    code = child.returncode = os.waitstatus_to_exitcode(status)
                else:
                    time.sleep(0.002)
            if code is None:
                child.kill()
                child.wait()
                raise TimeoutError(f"{tool} took more than {timeout} s")
        seconds = time.perf_counter() - start
        texts = [path.read_text(errors="replace") for path in (out_path, err_path)]
        return Ran(code, *texts, seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)

    def succeed(self, tool: str, *arguments, **options) -> Ran:
        ran = self.run(tool, *arguments, **options)
        assert ran.code == 0, f"{tool} {' '.join(map(str, arguments))} exited {ran.code}: {ran.err.strip()[-2000:]}"
        return ran

    def compile(self, model: onnx.ModelProto | Path, *options, target: str = "hermes") -> Path:
        """Compiles a model and gives the program's path."""
        if isinstance(model, onnx.ModelProto):
            onnx.save(model, self.folder / "model.onnx")
            model = self.folder / "model.onnx"
        program = self.folder / f"{Path(model).stem}-{target}.mho"
        self.succeed("mhoc", model, "-o", program, f"--target={target}", *options)
        return program

    def execute(self, program: Path, inputs: dict | Path, *options) -> dict[str, np.ndarray]:
        """Runs a program on arrays (or an .npz) and gives its outputs."""
        if not isinstance(inputs, Path):
            np.savez(self.folder / "in.npz", **inputs)
            inputs = self.folder / "in.npz"
        output = self.folder / "out.npz"
        output.unlink(missing_ok=True)
        self.succeed("mho-run", program, "--input", inputs, "--output", output, *options)
        with np.load(output) as file:
            return {name: file[name] for name in file.files}

    def refuse(self, tool: str, *arguments) -> str:
        """Runs a tool that must exit 1, and gives its message."""
        ran = self.run(tool, *arguments, timeout=30)
        assert ran.code == 1, f"{tool} exited {ran.code} instead of 1: {ran.err.strip()[-500:]}"
        assert ran.err.strip(), f"{tool} said nothing"
        return ran.err


def reference(model: onnx.ModelProto, inputs: dict) -> dict[str, np.ndarray]:
    """What ONNX Runtime computes, without its graph rewriting."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def relative_error(got: np.ndarray, wanted: np.ndarray) -> float:
    """Largest absolute difference over the wanted values' range."""
    assert got.shape == wanted.shape, f"shape {got.shape} instead of {wanted.shape}"
    if wanted.size == 0:
        return 0.0
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    span = max(float(wanted.max() - wanted.min()), float(np.abs(wanted).max()), 1e-30)
    return float(np.abs(got - wanted).max()) / span


class BoundedCases(dict):
    """Cases of tests over run-time extents: name -> (function of a graph, least extent, targets)."""

    def case(self, low: int, *targets: str):
        """A model of the extents `w` (from `low` on), `h` and `n`; both targets where none is named."""

        def add(function):
            self[function.__name__] = (function, low, targets or ("ideal", "hermes"))
            return function

        return add


def check(tools: Tools, graph, outputs, *options, target: str = "ideal", tolerance: float = 1e-5, wanted=None):
    """Compiles and runs without noise; compares with ONNX Runtime, or with `wanted`. NaN equals NaN."""
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    model = graph.model(*outputs)
    if wanted is None:
        wanted = reference(model, graph.feeds)
    got = tools.execute(tools.compile(model, *options, target=target), graph.feeds, "--ideal")
    for name in outputs:
        assert got[name].dtype == wanted[name].dtype, name
        if wanted[name].dtype.kind != "f":
            np.testing.assert_array_equal(got[name], wanted[name])
            continue
        assert got[name].shape == wanted[name].shape, name
        odd = ~np.isfinite(wanted[name])
        np.testing.assert_array_equal(got[name][odd], wanted[name][odd])
        assert relative_error(np.where(odd, 0, got[name]), np.where(odd, 0, wanted[name])) <= tolerance
