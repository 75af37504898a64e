"""Compiles a model with gigabytes of external weights and tells time and memory.

large_model.py [--layers=24] [--rows=4096] [--columns=8192] [--form=plain|half|transposed] [--folder=FOLDER]

Weights are seeded and written to the folder first (default: a temporary one,
removed afterwards). What counts is memory of the compiler's own, pages of mapped
files apart: no weight may be copied to the heap.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper


def write_model(folder: Path, layers: int, rows: int, columns: int, form: str) -> tuple[Path, int]:
    """Products in a row, [rows, columns] and [columns, rows] in turn; the model and its weights' bytes."""
    kind, dtype = (TensorProto.FLOAT16, np.float16) if form == "half" else (TensorProto.FLOAT, np.float32)
    nodes, weights, offset, x = [], [], 0, "x"
    rng = np.random.default_rng(0)
    with open(folder / "weights.bin", "wb") as data:
        for layer in range(layers):
            inner, outer = (rows, columns) if layer % 2 == 0 else (columns, rows)
            shape = [outer, inner] if form == "transposed" else [inner, outer]
            weight = TensorProto(name=f"w{layer}", data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
            size = inner * outer * dtype().nbytes
            for key, text in {"location": "weights.bin", "offset": offset, "length": size}.items():
                weight.external_data.add(key=key, value=str(text))
            offset += size
            for _ in range(0, inner * outer, 1 << 22):
                part = rng.standard_normal(1 << 22, dtype=np.float32) * np.float32(inner**-0.5)
                data.write(part.astype(dtype).tobytes())
            data.truncate(offset)
            data.seek(offset)
            weights.append(weight)
            name = f"w{layer}"
            if form == "half":
                nodes.append(helper.make_node("Cast", [name], [f"c{layer}"], to=TensorProto.FLOAT))
                name = f"c{layer}"
            if form == "transposed":
                nodes.append(helper.make_node("Transpose", [name], [f"t{layer}"], perm=[1, 0]))
                name = f"t{layer}"
            nodes.append(helper.make_node("MatMul", [x, name], [f"y{layer}"], f"product{layer}"))
            x = f"y{layer}"
    last = rows if layers % 2 == 0 else columns
    graph = helper.make_graph(
        nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, rows])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, last])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    (folder / "large.onnx").write_bytes(model.SerializeToString())
    return folder / "large.onnx", offset


def own_memory(pid: int) -> int:
    """Bytes of a process that no file stands behind."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    return 0


def compile_watched(mhoc: Path, model: Path, output: Path) -> tuple[float, int]:
    """Seconds, and the most own memory seen."""
    start, most = time.perf_counter(), 0
    with subprocess.Popen([mhoc, model, "-o", output, "--target=ideal"]) as child:
        while child.poll() is None:
            most = max(most, own_memory(child.pid))
            time.sleep(0.01)
    if child.returncode:
        sys.exit(f"mhoc exited {child.returncode}")
    return time.perf_counter() - start, most


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--columns", type=int, default=8192)
    parser.add_argument("--form", choices=["plain", "half", "transposed"], default="plain")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    source = Path(__file__).resolve().parent.parent.parent
    tools = Path(os.environ.get("MHO_BIN", source / "build" / "release" / "bin"))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        model, size = write_model(Path(folder), options.layers, options.rows, options.columns, options.form)
        seconds, most = compile_watched(tools / "mhoc", model, Path(folder) / "large.mho")
        program = (Path(folder) / "large.mho").stat().st_size
    print(f"weights {size / 1e9:.2f} GB ({options.form}), program {program / 1e9:.2f} GB")
    print(f"compiled in {seconds:.1f} s with {most / 1e6:.0f} MB of own memory")


if __name__ == "__main__":
    main()
