"""A line on the terminal tells how far long work is; short work and pipes see none."""

import os
import pty
import subprocess

import numpy as np
import pytest


def on_terminal(tools, tool, *arguments):
    """What the tool writes to stderr where that is a terminal."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [str(tools.bin_folder / tool), *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=tools.folder,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert child.wait() == 0, shown
    return shown.decode()


@pytest.fixture
def many(tools, digits):
    """Gives the demo's images, repeated so often."""

    def make(times):
        with np.load(digits / "test.npz") as file:
            images = file["image"]
        path = tools.folder / "many.npz"
        np.savez(path, image=np.concatenate([images] * times))
        return path

    return make


def lasting(show, many):
    """What is shown by work made larger until it takes long."""
    for times in (16, 64, 256, 1024):
        shown = show(many(times))
        if "\r" in shown:
            return shown
    raise AssertionError("no progress was ever shown")


def test_compiling(tools, digits, many):
    def show(samples):
        return on_terminal(tools, "mhoc", digits / "digits.onnx", "--calibrate", samples, "-o", tools.folder / "m.mho")

    shown = lasting(show, many)
    assert "\r\033[Kmhoc: calibrating, " in shown and "%" in shown
    assert shown.endswith("\r\033[K"), "the line goes when the work is done"


def test_running(tools, digits, many):
    program = tools.compile(digits / "digits.onnx")
    shown = lasting(lambda samples: on_terminal(tools, "mho-run", program, "--input", samples), many)
    assert "\r\033[Kmho-run: running, " in shown and " left" in shown
    assert shown.endswith("\r\033[K")


def test_short_work_shows_nothing(tools, digits):
    shown = on_terminal(tools, "mhoc", digits / "digits.onnx", "--shape=batch=1", "-o", tools.folder / "m.mho")
    assert "\r\033" not in shown
