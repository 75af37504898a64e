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
    table = trials.read()
    missing = [kind for kind in trials.node_tests() if kind not in table and trials.schema_of(kind).inputs]
    # Their first operand is no tensor, or a string.
    assert set(missing) <= set(trials.NO_TENSORS)
    crashed = [kind for kind, found in table.items() if "?" in found["refused"]]
    assert not crashed


def test_every_contributed_operator_is_there(trials, bin_folder):
    """Those with a meaning are also those of which some end-to-end test builds a model."""
    listing = subprocess.run(
        [bin_folder / "mhoc", "--list-operators"], capture_output=True, text=True, check=True
    ).stdout
    known = [info for info in map(json.loads, listing.splitlines()) if info["source"] != "none"]
    kinds = {f"{info['domain']}.{info['name']}" for info in known if info["domain"] in trials.recorded.DOMAINS}
    assert len(kinds) > 50
    # Its one form with a meaning is the one that is refused.
    kinds.remove("ai.onnx.ml.ZipMap")
    assert kinds <= set(trials.recorded.record())
    table = trials.read()
    assert all(table[kind]["works"] for kind in kinds)


TRIED_AGAIN = ["GridSample", "Mod", "TopK", "com.microsoft.QLinearAdd", "ai.onnx.ml.Scaler"]
# Results of the scale's and the cache's type, not the input's.
TRIED_AGAIN += ["com.microsoft.SimplifiedLayerNormalization", "com.microsoft.GroupQueryAttention"]


@pytest.mark.parametrize("kind", TRIED_AGAIN)
def test_lines_are_what_a_trial_gives(package, trials, tmp_path, kind):
    table = tmp_path / "types.txt"
    subprocess.run([sys.executable, SCRIPT, f"--build={package.parent}", f"--table={table}", kind], check=True)
    assert json.loads(table.read_text().split(": ", 1)[1]) == trials.read()[kind]
