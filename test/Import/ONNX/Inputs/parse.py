"""Writes the model that argv[1] holds in ONNX's text form to argv[2]."""

import sys
from pathlib import Path

import onnx

model = onnx.parser.parse_model(Path(sys.argv[1]).read_text())
Path(sys.argv[2]).write_bytes(model.SerializeToString())
