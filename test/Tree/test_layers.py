"""Who may include whom, and what the runtime may link.

Each layer of docs/architecture.md uses only what stands to its left:
Support, Program < Chip < Dialect < Conversion, Import, Target < Pipelines <
Driver < tools, python, and apart from them Support, Program < Runtime < Driver.
"""

import re
import subprocess

import pytest

BELOW = {
    "Support": set(),
    "Program": {"Support"},
    "Chip": {"Support", "Program"},
    "Dialect": {"Support", "Program", "Chip"},
    "Conversion": {"Support", "Program", "Chip", "Dialect"},
    "Import": {"Support", "Program", "Chip", "Dialect"},
    "Target": {"Support", "Program", "Chip", "Dialect"},
    "Pipelines": {"Support", "Program", "Chip", "Dialect", "Conversion", "Import", "Target"},
    "Runtime": {"Support", "Program"},
}
BELOW["Driver"] = set(BELOW)
# Layers that must build without the compiler's libraries.
BARE = ("Support", "Program", "Runtime")
FOREIGN = re.compile(r"(mlir|llvm|onnx|google/protobuf)(-c)?/")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)


def sources(folder):
    return [path for path in folder.rglob("*") if path.suffix in (".h", ".cpp", ".hpp", ".inc")]


def includes(path):
    return INCLUDE.findall(path.read_text())


def layer_files(source, layer):
    return sources(source / "include" / "mho" / layer) + sources(source / "lib" / layer)


@pytest.mark.parametrize("layer", BELOW)
def test_layer_includes_only_layers_below(source, layer):
    allowed = BELOW[layer] | {layer}
    wrong = []
    for path in layer_files(source, layer):
        for name in includes(path):
            match = re.match(r"mho/(\w+)/", name)
            if match and match[1] not in allowed:
                wrong.append(f"{path.relative_to(source)} includes {name}")
    assert not wrong, "\n".join(wrong)


def test_every_folder_is_a_layer(source):
    folders = {path.name for top in ("include/mho", "lib") for path in (source / top).iterdir() if path.is_dir()}
    assert folders == set(BELOW)


def test_runtime_includes_no_compiler_library(source):
    folders = [source / top / layer for layer in BARE for top in ("include/mho", "lib")]
    folders += [source / "tools" / tool for tool in ("mho-run", "mho-bench")]
    wrong = [
        f"{path.relative_to(source)} includes {name}"
        for folder in folders
        for path in sources(folder)
        for name in includes(path)
        if FOREIGN.match(name)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("tool", ["mho-run", "mho-bench"])
def test_runtime_links_no_compiler_library(bin_folder, tool):
    listing = subprocess.run(["ldd", bin_folder / tool], capture_output=True, text=True, check=True).stdout
    wrong = [line.strip() for line in listing.splitlines() if re.search("mlir|llvm|onnx|protobuf", line, re.IGNORECASE)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("tool", ["mho-run", "mho-bench"])
def test_runtime_holds_no_compiler_symbols(bin_folder, tool):
    """A static archive would not show up in ldd."""
    symbols = subprocess.run(
        ["nm", "--demangle", "--defined-only", bin_folder / tool], capture_output=True, text=True, check=True
    ).stdout
    wrong = re.findall(r"\b(?:mlir|llvm|onnx|google::protobuf)::\w+", symbols)
    assert not wrong, wrong[:10]
