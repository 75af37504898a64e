"""The table of element types that docs/Operators.md shows: complete, and as a trial of some of its lines gives it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent.parent
SCRIPT = SOURCE / "utils" / "operator-types.py"


@pytest.fixture(scope="module")
def trials():
    spec = importlib.util.spec_from_file_location("operator_types", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_operator_with_a_test_is_there(trials):
    import onnx

    table = trials.read()
    missing = [kind for kind in trials.node_tests() if kind not in table and onnx.defs.get_schema(kind).inputs]
    # Their first operand is no tensor, or a string.
    assert set(missing) <= set(trials.NO_TENSORS)
    crashed = [kind for kind, found in table.items() if "?" in found["refused"]]
    assert not crashed


@pytest.mark.parametrize("kind", ["GridSample", "Mod", "TopK"])
def test_lines_are_what_a_trial_gives(package, trials, tmp_path, kind):
    table = tmp_path / "types.txt"
    subprocess.run([sys.executable, SCRIPT, f"--build={package.parent}", f"--table={table}", kind], check=True)
    assert json.loads(table.read_text().split(": ", 1)[1]) == trials.read()[kind]
