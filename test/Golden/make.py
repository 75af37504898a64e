"""Makes the golden program of a container format version, once: digits.mho,
a few inputs, and what this version of mho computed for them.

Usage: make.py BIN VERSION     (BIN: the folder of the tools)

A golden program is never made again for the same version: a change that cannot
read it must be mended, or the version must grow and the reader keep both.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).resolve().parent.parent.parent
NOISY = ["--noise=quantization", "--threads=1"]


def main() -> None:
    tools, version = Path(sys.argv[1]), int(sys.argv[2])
    folder = Path(__file__).resolve().parent / f"v{version}"
    if folder.exists():
        sys.exit(f"{folder} is there already")
    folder.mkdir()
    model = SOURCE / "examples" / "digits" / "digits.onnx"
    program = folder / "digits.mho"
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary)
        subprocess.run([sys.executable, SOURCE / "examples/digits/data.py", data], check=True)
        options = ["--shape=batch=1", "--calibrate", data / "calibration.npz", "-o", program]
        subprocess.run([tools / "mhoc", model, *options], check=True)
        with np.load(data / "test.npz") as file:
            np.savez_compressed(folder / "input.npz", image=file["image"][:4])
        expected = {}
        for name, options in (("ideal", ["--ideal"]), ("quantized", NOISY)):
            output = data / "out.npz"
            argv = [tools / "mho-run", program, "--input", folder / "input.npz", "--output", output, *options]
            subprocess.run(argv, check=True)
            with np.load(output) as file:
                expected[name] = file["logits"]
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    main()
