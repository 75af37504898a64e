"""Compiles a model with gigabytes of external weights and tells time and memory, and the time to load the program.

large_model.py [--layers=24] [--rows=4096] [--columns=8192] [--form=FORM] [--folder=FOLDER]

Weights are seeded and written to the folder first (default: a temporary one,
removed afterwards). Forms: plain (f32), half (f16 behind Cast), transposed (f32
behind Transpose), int8 (behind DequantizeLinear, a scale for each column), int4
(the same in blocks of 32), few-bits (MatMulNBits of 4 bits). What counts is memory
of the compiler's own, pages of mapped files apart: no weight may be copied to the
heap.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

# Elements that share a scale.
BLOCK = 32
FORMS = ["plain", "half", "transposed", "int8", "int4", "few-bits"]


class Weights:
    """A file of external data, and the tensors that lie in it."""

    def __init__(self, file):
        self.file = file
        self.rng = np.random.default_rng(0)
        self.tensors, self.bytes = [], 0

    def tensor(self, name: str, kind: int, shape: list[int], draw, elements_per_byte: int = 1) -> str:
        """Adds a tensor that `draw` gives parts of; each part is `1 << 22` elements but the last."""
        tensor = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        begin, left = self.bytes, int(np.prod(shape)) // elements_per_byte
        while left:
            part = draw(min(left, 1 << 22)).tobytes()
            self.file.write(part)
            self.bytes += len(part)
            left -= min(left, 1 << 22)
        for key, text in {"location": "weights.bin", "offset": begin, "length": self.bytes - begin}.items():
            tensor.external_data.add(key=key, value=str(text))
        self.tensors.append(tensor)
        return name

    def floats(self, name: str, shape: list[int], scale: float, dtype=np.float32) -> str:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.tensor(
            name,
            kind,
            shape,
            lambda n: (self.rng.standard_normal(n, dtype=np.float32) * np.float32(scale)).astype(dtype),
        )

    def integers(self, name: str, kind: int, shape: list[int], elements_per_byte: int = 1) -> str:
        return self.tensor(name, kind, shape, lambda n: self.rng.integers(0, 256, n, np.uint8), elements_per_byte)

    def scales(self, name: str, shape: list[int]) -> str:
        return self.tensor(name, TensorProto.FLOAT, shape, lambda n: self.rng.uniform(1e-4, 1e-3, n).astype(np.float32))


def layer(weights: Weights, number: int, x: str, inner: int, outer: int, form: str) -> list:
    """The nodes of a product of x, [1, inner], with weights [inner, outer]."""
    w, y = f"w{number}", f"y{number}"
    if form == "few-bits":
        packed = weights.integers(w, TensorProto.UINT8, [outer, inner // BLOCK, BLOCK // 2])
        scales = weights.scales(f"s{number}", [outer * inner // BLOCK])
        attributes = {"K": inner, "N": outer, "bits": 4, "block_size": BLOCK}
        return [
            helper.make_node(
                "MatMulNBits", [x, packed, scales], [y], f"product{number}", domain="com.microsoft", **attributes
            )
        ]
    if form == "half":
        weights.floats(w, [inner, outer], inner**-0.5, np.float16)
        nodes = [helper.make_node("Cast", [w], [f"c{number}"], to=TensorProto.FLOAT)]
    elif form == "transposed":
        weights.floats(w, [outer, inner], inner**-0.5)
        nodes = [helper.make_node("Transpose", [w], [f"c{number}"], perm=[1, 0])]
    elif form == "int8":
        weights.integers(w, TensorProto.INT8, [inner, outer])
        scales = weights.scales(f"s{number}", [outer])
        nodes = [helper.make_node("DequantizeLinear", [w, scales], [f"c{number}"], axis=1)]
    elif form == "int4":
        weights.integers(w, TensorProto.INT4, [inner, outer], elements_per_byte=2)
        scales = weights.scales(f"s{number}", [inner // BLOCK, outer])
        nodes = [helper.make_node("DequantizeLinear", [w, scales], [f"c{number}"], axis=0, block_size=BLOCK)]
    else:
        weights.floats(w, [inner, outer], inner**-0.5)
        nodes = []
    return [*nodes, helper.make_node("MatMul", [x, f"c{number}" if nodes else w], [y], f"product{number}")]


def write_model(folder: Path, layers: int, rows: int, columns: int, form: str) -> tuple[Path, int]:
    """Products in a row, [rows, columns] and [columns, rows] in turn; the model and its weights' bytes."""
    nodes, x = [], "x"
    with open(folder / "weights.bin", "wb") as file:
        weights = Weights(file)
        for number in range(layers):
            inner, outer = (rows, columns) if number % 2 == 0 else (columns, rows)
            nodes += layer(weights, number, x, inner, outer, form)
            x = f"y{number}"
    last = rows if layers % 2 == 0 else columns
    graph = helper.make_graph(
        nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, rows])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, last])],
        weights.tensors,
    )
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    (folder / "large.onnx").write_bytes(model.SerializeToString())
    return folder / "large.onnx", weights.bytes


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


def seconds_to_load(bench: Path, program: Path, rows: int) -> float:
    """Seconds to map a program of warm pages and check it."""
    np.savez(program.with_suffix(".npz"), x=np.zeros((1, rows), np.float32))
    table = subprocess.run(
        [
            bench,
            f"--program={program}",
            f"--input={program.with_suffix('.npz')}",
            "--noise=none",
            "--benchmark_filter=load_program",
            "--benchmark_format=json",
        ],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    (measured,) = json.loads(table)["benchmarks"]
    return measured["real_time"] / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--columns", type=int, default=8192)
    parser.add_argument("--form", choices=FORMS, default="plain")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    source = Path(__file__).resolve().parent.parent.parent
    tools = Path(os.environ.get("MHO_BIN", source / "build" / "release" / "bin"))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        model, size = write_model(Path(folder), options.layers, options.rows, options.columns, options.form)
        seconds, most = compile_watched(tools / "mhoc", model, Path(folder) / "large.mho")
        program = Path(folder) / "large.mho"
        stored = program.stat().st_size
        loading = seconds_to_load(tools / "mho-bench", program, options.rows)
    print(f"weights {size / 1e9:.2f} GB ({options.form}), program {stored / 1e9:.2f} GB")
    print(f"compiled in {seconds:.1f} s with {most / 1e6:.0f} MB of own memory")
    print(f"loads in {loading:.3f} s, {loading / stored * 1e9:.3f} s per GB")


if __name__ == "__main__":
    main()
