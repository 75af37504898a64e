"""What the Python tests share: where the tools and the reference models are."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import Tools

SOURCE = Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run the tests marked long")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes long; run with --long"))


@pytest.fixture(scope="session")
def source() -> Path:
    """Top of the checkout."""
    return SOURCE


@pytest.fixture(scope="session")
def models() -> Path:
    """Folder of the reference models, which is no part of a clone."""
    folder = Path(os.environ.get("MHO_MODELS", SOURCE / ".." / "shared" / "models"))
    if not folder.is_dir():
        pytest.skip("the reference models are not here (MHO_MODELS names their folder)")
    return folder.resolve()


@pytest.fixture(scope="session")
def bin_folder() -> Path:
    return Path(os.environ.get("MHO_BIN", SOURCE / "build" / "release" / "bin")).resolve()


@pytest.fixture(scope="session")
def package(bin_folder) -> Path:
    """The folder that holds the built Python package; a build without it (AddressSanitizer's) skips its tests."""
    build = bin_folder.parent
    if re.search(r"^MHO_PYTHON:\w+=$", (build / "CMakeCache.txt").read_text(), re.M):
        pytest.skip("this build has no Python package")
    return build / "python"


@pytest.fixture(scope="session")
def mho(package):
    """The Python package."""
    sys.path.insert(0, str(package))
    import mho.onnx_backend

    return mho


@pytest.fixture
def tools(bin_folder, tmp_path) -> Tools:
    """The tools, run in a folder of the test's own."""
    return Tools(bin_folder, tmp_path)


@pytest.fixture(scope="session")
def digits(source, tmp_path_factory) -> Path:
    """A folder with the demo's digits.onnx, calibration.npz and test.npz."""
    folder = tmp_path_factory.mktemp("digits")
    example = source / "examples" / "digits"
    subprocess.run([sys.executable, example / "data.py", folder], check=True)
    shutil.copy(example / "digits.onnx", folder)
    return folder
