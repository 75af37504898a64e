"""Models of one contributed operator each, as the end-to-end tests build them, with their inputs.

ONNX's own tests hold none of com.microsoft and few of ai.onnx.ml; ours do. They are had by a run of pytest with this
module as its plugin, which notes what a test would compile or give to ONNX Runtime and ends the test there: neither
mho nor ONNX Runtime runs.
"""

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
FILES = ["test_microsoft.py", "test_ml.py", "test_quantized.py", "test_contractions.py", "test_transformers.py"]
DOMAINS = ("com.microsoft", "ai.onnx.ml")
# ONNX Runtime has it in ONNX's own domain.
ELSEWHERE = {"SimplifiedLayerNormalization": "com.microsoft"}
WHERE = "MHO_RECORDED"


def domain_of(node) -> str:
    return ELSEWHERE.get(node.op_type, node.domain)


def load(folder: Path) -> dict[str, list]:
    """Pairs of a model and its inputs by "domain.Operator", small ones first."""
    import onnx

    found: dict[str, list] = {}
    for path in sorted(folder.iterdir()):
        text, feeds = pickle.loads(path.read_bytes())
        model = onnx.load_from_string(text)
        node = model.graph.node[0]
        found.setdefault(f"{domain_of(node)}.{node.op_type}", []).append((model, feeds))
    return {kind: sorted(pairs, key=lambda pair: pair[0].ByteSize()) for kind, pairs in found.items()}


def record() -> dict[str, list]:
    """What all of those tests build."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {WHERE: folder}
        environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), str(TESTS)])
        command = [sys.executable, "-m", "pytest", "-q", "-p", "recorded", "-p", "no:cacheprovider"]
        files = [str(TESTS / "EndToEnd" / name) for name in FILES]
        ran = subprocess.run([*command, *files], env=environment, cwd=TESTS.parent, capture_output=True, text=True)
        if ran.returncode != 0:
            raise RuntimeError(f"the tests that build models did not run:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        return load(Path(folder))


def install() -> None:
    """Puts noting in the place of compiling, running and comparing."""
    import onnx
    import pytest

    import harness

    folder = Path(os.environ[WHERE])

    def note(model, inputs):
        nodes = model.graph.node
        if len(nodes) == 1 and domain_of(nodes[0]) in DOMAINS and isinstance(inputs, dict):
            name = f"{len(list(folder.iterdir())):05}"
            (folder / name).write_bytes(pickle.dumps((model.SerializeToString(), inputs)))
        pytest.skip("noted")

    def compile_(tools, model, *options, **others):
        tools.model = model
        return Path("noted.mho")

    def execute(tools, program, inputs, *options):
        if not isinstance(getattr(tools, "model", None), onnx.ModelProto):
            pytest.skip("not a model of its own")
        note(tools.model, inputs)

    def run(tools, *arguments, **others):
        pytest.skip("not a model that runs")

    harness.reference = note
    harness.Tools.compile, harness.Tools.execute = compile_, execute
    harness.Tools.run = harness.Tools.refuse = run


if WHERE in os.environ:
    install()
