"""Programs of every format version that was ever written still run, and give
the values they gave then."""

from pathlib import Path

import numpy as np
import pytest

VERSIONS = sorted(path.name for path in Path(__file__).parent.glob("v*") if path.is_dir())


def test_there_is_a_golden_program():
    assert VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("noise", ["ideal", "quantized"])
def test_golden_program(tools, version, noise):
    folder = Path(__file__).parent / version
    option = "--ideal" if noise == "ideal" else "--noise=quantization"
    got = tools.execute(folder / "digits.mho", folder / "input.npz", option)["logits"]
    wanted = np.load(folder / "expected.npz")[noise]
    # Codes are exact; sums in f32 may differ in their last bits elsewhere.
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("version", VERSIONS)
def test_golden_program_disassembles(tools, version):
    program = Path(__file__).parent / version / "digits.mho"
    assert "tile.mvm" in tools.succeed("mho-objdump", program, "--disassemble").out
