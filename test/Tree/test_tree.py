"""House rules that a machine can check."""

import os
import re
import subprocess

import pytest

CODE = (".cpp", ".h", ".td", ".py", ".sh")
HEADER = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
SOFT_LIMIT = 600
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def written_files(source):
    """Files written by hand: what git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=source,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [source / name for name in listing.splitlines() if (source / name).is_file()]


@pytest.fixture(scope="module")
def written(source):
    return written_files(source)


@pytest.fixture(scope="module")
def code(written):
    return [path for path in written if path.suffix in CODE]


def names(source, paths):
    return "\n".join(str(path.relative_to(source)) for path in paths)


def test_files_are_short(source, code):
    long = [path for path in code if len(path.read_text().splitlines()) > SOFT_LIMIT]
    assert not long, f"over {SOFT_LIMIT} lines:\n{names(source, long)}"


def test_no_unfinished_work(source, code):
    wrong = [path for path in code if path.name != "test_tree.py" and UNFINISHED.search(path.read_text())]
    assert not wrong, names(source, wrong)


def test_sources_name_the_licence(source, code):
    folders = ("include", "lib", "tools", "python", "utils")
    wrong = [path for path in code if path.relative_to(source).parts[0] in folders and HEADER not in path.read_text()]
    assert not wrong, names(source, wrong)


def test_guards_are_paths(source, code):
    """The guard is the path, with or without the top folder, and unique."""
    wrong, seen = [], {}
    for path in code:
        # Highway includes its -inl.h files once for each instruction set.
        if path.suffix != ".h" or path.name.endswith("-inl.h"):
            continue
        parts = path.relative_to(source).with_suffix("").parts
        inner = parts[1:] if parts[1].startswith("mho") else ("MHO", *parts[1:])
        allowed = {re.sub(r"\W", "_", "_".join(form)).upper() + "_H" for form in (inner, ("MHO", *parts))}
        match = re.search(r"^#ifndef (\w+)\n#define \1$", path.read_text(), re.M)
        guard = match[1] if match else None
        if guard not in allowed:
            wrong.append(f"{path.relative_to(source)}: {guard} instead of {' or '.join(sorted(allowed))}")
        elif guard in seen:
            wrong.append(f"{path.relative_to(source)}: {guard} guards {seen[guard]} too")
        seen[guard] = path.relative_to(source)
    assert not wrong, "\n".join(wrong)


def test_headers_open_no_namespace(source, code):
    wrong = [path for path in code if path.suffix == ".h" and re.search(r"^\s*using namespace", path.read_text(), re.M)]
    assert not wrong, names(source, wrong)


def test_no_path_of_one_machine(source, written):
    home = re.escape(os.path.expanduser("~")) + "/"
    around = re.escape(str(source.parent)) + "/"
    pattern = re.compile(rf"({around}|/home/[a-z]|{home})")
    wrong = []
    for path in written:
        if path.suffix in (".onnx", ".mho", ".npz") or path.name == "test_tree.py":
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if pattern.search(line):
                wrong.append(f"{path.relative_to(source)}:{number}: {line.strip()[:100]}")
    assert not wrong, "\n".join(wrong)


def test_shared_folder_is_used_by_tests_only(source, code):
    wrong = [
        path
        for path in code
        if path.relative_to(source).parts[0] not in ("test", ".ci") and "../shared" in path.read_text()
    ]
    assert not wrong, names(source, wrong)


def test_tracked_files_are_small(source, written):
    wrong = [path for path in written if path.stat().st_size > 1 << 20]
    assert not wrong, names(source, wrong)


def test_td_files_parse_alone(source, code):
    """A td file includes what it uses, whoever includes it."""
    wrong = []
    for path in code:
        if path.suffix != ".td" or path.relative_to(source).parts[0] == "test":
            continue
        ran = subprocess.run(
            ["/usr/lib/llvm-22/bin/mlir-tblgen", path, "-I", source / "include", "-I", "/usr/lib/llvm-22/include"],
            capture_output=True,
            text=True,
        )
        if ran.returncode != 0:
            wrong.append(f"{path.relative_to(source)}: {ran.stderr.strip().splitlines()[0]}")
    assert not wrong, "\n".join(wrong)


def test_passes_have_tests(source):
    """lib/Dialect/<D>/Transforms and lib/Conversion/<A>To<B> are mirrored."""
    folders = [*source.glob("lib/Dialect/*/Transforms"), *source.glob("lib/Conversion/*/")]
    wrong = [
        folder
        for folder in folders
        if folder.is_dir() and not (source / "test" / folder.relative_to(source / "lib")).is_dir()
    ]
    assert not wrong, names(source, wrong)
