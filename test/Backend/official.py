"""The official ONNX backend tests: finding them, running one, and running them where a crash does no harm.

Run as a program it is a server: it reads names of tests and answers each with a line of JSON. A test runs in a child,
so that a crash or a hang is that test's failure; the child is forked from a process that has everything loaded, and
lives until something goes wrong.
"""

import contextlib
import glob
import io
import json
import os
import pickle
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

SUITES = ("node", "simple", "pytorch-converted", "pytorch-operator", "real")
FOLDER = Path(__file__).resolve().parent
PASSES, OTHERS = FOLDER / "passes.txt", FOLDER / "others.txt"
MEMORY_BYTES = 12 << 30
SECONDS = 120


def load_tests() -> dict:
    """Every official test by name. Those of nodes are computed by ONNX, which takes seconds: they are kept on disk.
    The others are files of this environment, and another one may be gone tomorrow: their paths are not kept."""
    import ml_dtypes
    import numpy
    import onnx
    from onnx.backend.test.loader import load_model_tests

    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mho"
    kept = cache / f"onnx-node-tests-{onnx.__version__}-{numpy.__version__}-{ml_dtypes.__version__}.pickle"
    nodes = pickle.loads(kept.read_bytes()) if kept.exists() else None
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        suites = {suite: load_model_tests(kind=suite) for suite in SUITES if suite != "node" or nodes is None}
    if nodes is None:
        nodes = suites["node"]
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
            file.write(pickle.dumps(nodes))
        os.replace(file.name, kept)
    return {test.name: test for suite in SUITES for test in (nodes if suite == "node" else suites[suite])}


def data_sets(test, model):
    """Pairs of inputs and expected outputs of a test, as ONNX's own runner reads them."""
    from onnx import TensorProto, numpy_helper
    from onnx.backend.test.runner import Runner

    if test.data_sets is not None:
        for pair in test.data_sets:
            yield [
                [numpy_helper.to_array(item) if isinstance(item, TensorProto) else item for item in items]
                for items in pair
            ]
        return
    if test.model_dir is None:  # a light model: made-up inputs, outputs beside it
        initialized = {tensor.name for tensor in model.graph.initializer}
        inputs = [Runner.generate_dummy_data(value) for value in model.graph.input if value.name not in initialized]
        stem = light_model(test).removesuffix(".onnx")
        outputs = [read_value(f"{stem}_output_{i}.pb", value.type) for i, value in enumerate(model.graph.output)]
        yield inputs, outputs
        return
    for folder in sorted(glob.glob(os.path.join(test.model_dir, "test_data_set*"))):
        yield [
            [
                read_value(path, value.type)
                for i, value in enumerate(values)
                if os.path.exists(path := os.path.join(folder, f"{kind}_{i}.pb"))
            ]
            for kind, values in (("input", model.graph.input), ("output", model.graph.output))
        ]


def light_model(test) -> str:
    import onnx

    return os.path.join(os.path.dirname(os.path.dirname(onnx.__file__)), test.url)


def read_value(path: str, kind):
    import onnx
    from onnx import numpy_helper

    content = Path(path).read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(content))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(content))
    return numpy_helper.to_array(onnx.TensorProto.FromString(content))


def run_test(test, backend) -> str | None:
    """None if the test passes with its own tolerance, types and shapes; else the reason in a few words."""
    import onnx
    from onnx.backend.test.runner import Runner

    try:
        model = test.model
        if model is None:
            path = light_model(test) if test.model_dir is None else os.path.join(test.model_dir, "model.onnx")
            model = onnx.load(path)
        prepared = backend.prepare(model, "CPU", threads=1)
        ran = False
        for inputs, expected in data_sets(test, model):
            ran = True
            Runner.assert_similar_outputs(expected, list(prepared.run(inputs)), test.rtol, test.atol)
        return None if ran else "has no data"
    except AssertionError as error:
        return mismatch(str(error))
    except Exception as error:
        return words(error)


def mismatch(message: str) -> str:
    if found := re.search(r"Mismatched elements: (\d+ / \d+)", message):
        if "shape" in message.split("\n\n")[0]:
            return "wrong shape"
        return f"wrong values ({found[1]})"
    return "wrong values" if "tolerance" in message or "Arrays are not equal" in message else "wrong type or count"


def words(error: Exception) -> str:
    text = (str(error).strip().splitlines() or [""])[0]
    text = re.sub(r"^model: node '[^']*': ", "", text)
    text = re.sub(r"; .*", "", text)
    if type(error).__name__ not in ("CompileError", "ProgramError"):
        text = f"{type(error).__name__}: {text}"
    return text if len(text) <= 100 else text[:97] + "..."


def serve() -> None:
    """Answers names on stdin; see the module's text."""
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    tests = load_tests()
    import onnx.reference  # noqa: F401 (ONNX's runner imports it)
    from onnx.backend.test.runner import Runner  # noqa: F401

    import mho.onnx_backend

    child = None
    for line in sys.stdin:
        name = line.strip()
        child = child or Child(tests, mho.onnx_backend)
        reason = child.run(name)
        if not child.alive:
            child = None
        print(json.dumps({"name": name, "reason": reason}), flush=True)


class Child:
    """A forked process that runs one test after the other."""

    def __init__(self, tests, backend):
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(to_write), os.close(from_read)
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            if "MHO_VERBOSE" not in os.environ:
                os.dup2(quiet, 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            with os.fdopen(to_read) as names, os.fdopen(from_write, "w") as answers:
                for name in names:
                    reason = run_test(tests[name.strip()], backend)
                    print(json.dumps(reason), file=answers, flush=True)
            os._exit(0)
        os.close(to_read), os.close(from_write)
        self.names, self.answers = os.fdopen(to_write, "w"), os.fdopen(from_read)
        self.alive = True

    def run(self, name: str) -> str | None:
        print(name, file=self.names, flush=True)
        ready, _, _ = select.select([self.answers], [], [], SECONDS)
        if ready and (answer := self.answers.readline()):
            return json.loads(answer)
        self.alive = False
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):
            self.names.close()
        self.answers.close()
        code = os.waitstatus_to_exitcode(status)
        if not ready:
            return f"takes longer than {SECONDS} s"
        return f"crashes ({signal.Signals(-code).name if code < 0 else f'exit {code}'})"


class Server:
    """The server from the outside; `package` is the folder that holds the built package mho."""

    def __init__(self, package: Path):
        self.scratch = tempfile.TemporaryDirectory()
        environment = dict(os.environ, PYTHONPATH=str(package), TMPDIR=self.scratch.name)
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, name: str) -> str | None:
        print(name, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the server of the official tests ended; its message is on stderr")
        return json.loads(answer)["reason"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.scratch.cleanup()


def read_passes() -> list[str]:
    return PASSES.read_text().split()


def read_others() -> dict[str, str]:
    """Tests that are not expected to pass, and why."""
    return dict(line.split(": ", 1) for line in OTHERS.read_text().splitlines())


if __name__ == "__main__":
    serve()
