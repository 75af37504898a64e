"""Prepares the digits that scikit-learn ships as inputs for mhoc and mho-run.

Writes calibration.npz (64 training images) and test.npz (the 450 held-out
images with their labels) into the given folder. Nothing is downloaded.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HELD_OUT = 450


def load_split():
    """Training images, test images, training labels, test labels.

    Images are float32 [n, 1, 8, 8] with pixels in 0..1; the split is fixed.
    """
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[:, None]
    labels = digits.target.astype(np.int64)
    return train_test_split(images, labels, test_size=HELD_OUT, random_state=0, stratify=labels)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: data.py FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    train, test, _, test_labels = load_split()
    np.savez(folder / "calibration.npz", image=train[:64])
    np.savez(folder / "test.npz", image=test, labels=test_labels)


if __name__ == "__main__":
    main()
