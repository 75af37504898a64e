"""Speed of single operators against ONNX Runtime in one run, at usual sizes.

Usage: operators.py [--threads=1] [--rounds=N] [--bin=FOLDER] [PATTERN...]

Ratios above 1 are slower than ONNX Runtime. Calls of a few microseconds tell
what a call costs, not what the operator does. PATTERNs choose cases by parts of
their names.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

SOURCE = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "test"))

from graphs import Graph  # noqa: E402
from harness import Tools  # noqa: E402

CASES = {}
ROUND_SECONDS = 0.1


def case(function):
    CASES[function.__name__] = function
    return function


def simple(name, *shapes, kind=None, **attributes):
    """One node whose inputs are all the graph's."""
    CASES[name] = lambda g: g(kind or name, *(g.input(*shape) for shape in shapes), **attributes)


IMAGE = (1, 64, 56, 56)
TOKENS = (1, 128, 384)

for unary in ["Relu", "Sigmoid", "Tanh", "Exp", "Erf", "Gelu", "Abs", "Floor", "Mish", "HardSwish", "Softplus"]:
    simple(unary, TOKENS)
simple("LeakyRelu", IMAGE, alpha=0.1)
for binary in ["Add", "Mul", "Div", "PRelu"]:
    simple(binary, IMAGE, IMAGE)
simple("AddOfChannels", IMAGE, (64, 1, 1), kind="Add")
simple("AddOfRows", TOKENS, (384,), kind="Add")
simple("Greater", IMAGE, IMAGE)
simple("Softmax", (12, 128, 128), axis=-1)
simple("SoftmaxOverMiddle", (12, 128, 128), axis=1, kind="Softmax")
simple("MatMulOfValues", (12, 128, 32), (12, 32, 128), kind="MatMul")
simple("MaxPool", IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
simple("AveragePool", IMAGE, kernel_shape=[2, 2], strides=[2, 2])
simple("GlobalAveragePool", IMAGE)
simple("TransposeImage", IMAGE, perm=[0, 2, 3, 1], kind="Transpose")
simple("TransposeHeads", (1, 128, 12, 32), perm=[0, 2, 1, 3], kind="Transpose")
simple("Concat", IMAGE, IMAGE, axis=1)
simple("ConcatOfLast", IMAGE, IMAGE, axis=3, kind="Concat")
simple("ConvOfValues", IMAGE, (64, 64, 3, 3), pads=[1, 1, 1, 1], kind="Conv")
simple("ConvTransposeOfValues", (1, 32, 28, 28), (32, 16, 4, 4), strides=[2, 2], pads=[1] * 4, kind="ConvTranspose")
simple("DepthToSpace", IMAGE, blocksize=2)
simple("SpaceToDepth", IMAGE, blocksize=2)
simple("InstanceNormalization", IMAGE, (64,), (64,))
simple("LpNormalization", TOKENS)
simple("GridSample", (1, 16, 56, 56), (1, 56, 56, 2))
simple("Sum3", IMAGE, IMAGE, IMAGE, kind="Sum")


@case
def layer_norm(g):
    return g("LayerNormalization", g.input(*TOKENS), g.weight(384), g.weight(384))


@case
def rms_of_parts(g):
    x = g.input(*TOKENS)
    mean = g("ReduceMean", g("Mul", x, x), g.int64(-1))
    return g("Mul", g("Div", x, g("Sqrt", g("Add", mean, g.weight(values=np.float32(1e-5))))), g.weight(384))


@case
def depthwise_conv(g):
    return g("Conv", g.input(*IMAGE), g.weight(64, 1, 3, 3), pads=[1] * 4, group=64)


@case
def depthwise_conv_1d(g):
    return g("Conv", g.input(1, 128, 500), g.weight(128, 1, 5), pads=[2] * 2, group=128)


@case
def conv(g):
    return g("Conv", g.input(*IMAGE), g.weight(64, 64, 3, 3), pads=[1] * 4)


@case
def conv_of_image(g):
    return g("Conv", g.input(1, 3, 224, 224), g.weight(32, 3, 3, 3), pads=[1] * 4, strides=[2, 2])


@case
def grouped_conv(g):
    return g("Conv", g.input(*IMAGE), g.weight(64, 16, 3, 3), pads=[1] * 4, group=4)


@case
def conv_transpose(g):
    return g("ConvTranspose", g.input(1, 32, 28, 28), g.weight(32, 16, 4, 4), strides=[2, 2], pads=[1] * 4)


@case
def matmul(g):
    return g("MatMul", g.input(*TOKENS), g.weight(384, 384))


@case
def gemm_of_one(g):
    return g("Gemm", g.input(1, 768), g.weight(768, 768), g.weight(768))


@case
def gather_rows(g):
    ids = g.input(values=g.rng.integers(0, 5000, (1, 128)))
    return g("Gather", g.weight(5000, 384), ids)


@case
def gather_of_values(g):
    return g("Gather", g.input(512, 96), g.input(values=g.rng.integers(0, 512, (400,))), axis=0)


@case
def gather_elements(g):
    return g("GatherElements", g.input(128, 384), g.input(values=g.rng.integers(0, 128, (128, 384))), axis=0)


@case
def gather_nd(g):
    indices = g.rng.integers(0, 50, (500, 2))
    return g("GatherND", g.input(56, 56, 64), g.input(values=indices))


@case
def scatter_nd(g):
    indices = g.rng.permutation(512)[:200, None]
    return g("ScatterND", g.input(512, 96), g.input(values=indices), g.input(200, 96))


@case
def scatter_elements(g):
    return g(
        "ScatterElements",
        g.input(128, 384),
        g.input(values=g.rng.integers(0, 384, (128, 64))),
        g.input(128, 64),
        axis=1,
    )


@case
def one_hot(g):
    ids = g.input(values=g.rng.integers(0, 100, (128,)))
    return g("OneHot", ids, g.weight(values=np.array(100)), g.weight(values=np.array([0, 1], np.float32)))


@case
def where_of_mask(g):
    mask = g("Greater", g.input(1, 1, 128, 128), g.weight(values=np.float32(0)))
    return g("Where", mask, g.input(1, 12, 128, 128), g.weight(values=np.float32(-1e9)))


@case
def slice_of_rows(g):
    return g("Slice", g.input(*IMAGE), g.int64(0), g.int64(32), g.int64(1))


@case
def slice_with_steps(g):
    return g("Slice", g.input(*IMAGE), g.int64(0, 0), g.int64(56, 56), g.int64(2, 3), g.int64(2, 2))


@case
def pad(g):
    return g("Pad", g.input(*IMAGE), g.int64(0, 0, 1, 1, 0, 0, 1, 1))


@case
def pad_reflected(g):
    return g("Pad", g.input(*IMAGE), g.int64(0, 0, 3, 3, 0, 0, 3, 3), mode="reflect")


@case
def tile(g):
    return g("Tile", g.input(1, 64, 28, 28), g.int64(1, 1, 2, 2))


@case
def expand(g):
    return g("Add", g("Expand", g.input(1, 64, 1, 1), g.int64(1, 64, 56, 56)), g.weight(values=np.float32(1)))


@case
def resize_nearest(g):
    scales = g.weight(values=np.array([1, 1, 2, 2], np.float32))
    return g("Resize", g.input(1, 32, 28, 28), "", scales, mode="nearest")


@case
def resize_doubled(g):
    scales = g.weight(values=np.array([1, 1, 2, 2], np.float32))
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return g("Resize", g.input(1, 64, 32, 32), "", scales, mode="nearest", **how)


@case
def resize_linear(g):
    scales = g.weight(values=np.array([1, 1, 2, 2], np.float32))
    return g("Resize", g.input(1, 32, 28, 28), "", scales, mode="linear")


@case
def resize_cubic(g):
    scales = g.weight(values=np.array([1, 1, 2, 2], np.float32))
    return g("Resize", g.input(1, 32, 28, 28), "", scales, mode="cubic")


for reduction in ["ReduceSum", "ReduceMax", "ReduceMean", "ReduceL2", "ReduceLogSumExp"]:
    for axis, where in [(-1, "last"), (1, "middle")]:
        CASES[f"{reduction}_{where}"] = lambda g, r=reduction, a=axis: g(r, g.input(12, 128, 128), g.int64(a))


@case
def arg_max(g):
    return g("ArgMax", g.input(128, 1000), axis=1)


@case
def arg_max_of_one(g):
    return g("ArgMax", g.input(1, 50000), axis=1)


@case
def top_k(g):
    return tuple(g("TopK", g.input(16, 1000), g.int64(5), outputs=2))


@case
def top_k_of_many(g):
    return tuple(g("TopK", g.input(1, 50000), g.int64(100), outputs=2))


@case
def top_half(g):
    return tuple(g("TopK", g.input(4, 8192), g.int64(4096), outputs=2))


@case
def sort(g):
    return tuple(g("TopK", g.input(1, 50000), g.int64(50000), outputs=2, largest=0))


@case
def cum_sum(g):
    return g("CumSum", g.input(128, 384), g.weight(values=np.array(1)))


@case
def cast_to_int(g):
    return g("Cast", g.input(*TOKENS), to=6)


@case
def cast_to_half_and_back(g):
    return g("Cast", g("Cast", g.input(*TOKENS), to=10), to=1)


@case
def quantize_and_back(g):
    scale, zero = g.weight(values=np.float32(0.02)), g.weight(values=np.uint8(128))
    return g("DequantizeLinear", g("QuantizeLinear", g.input(*IMAGE), scale, zero), scale, zero)


@case
def qlinear_conv(g):
    def number(value, kind):
        return g.weight(values=np.array(value, kind))

    x = g.input(values=g.rng.integers(0, 255, (1, 32, 28, 28)).astype(np.uint8))
    w = g.weight(values=g.rng.integers(-127, 127, (32, 32, 3, 3)).astype(np.int8))
    scales = number(0.02, np.float32), number(0.01, np.float32), number(0.5, np.float32)
    operands = x, scales[0], number(128, np.uint8), w, scales[1], number(0, np.int8), scales[2], number(128, np.uint8)
    return g("QLinearConv", *operands, pads=[1] * 4)


def add_qlinear(name, kind, operands, **attributes):
    """ONNX Runtime's quantized operators."""

    def build(g):
        def quantizer(scale, zero):
            return g.weight(values=np.float32(scale)), g.weight(values=np.uint8(zero))

        inputs = []
        for i in range(operands):
            inputs += [g.input(values=g.rng.integers(0, 255, IMAGE).astype(np.uint8)), *quantizer(0.02 + 0.01 * i, 120)]
        result = quantizer(0.05, 131)
        y = g(kind, *inputs, *result, domain="com.microsoft", **attributes)
        # The graph's output is of floats: nothing infers types behind a foreign operator.
        return g("DequantizeLinear", y, *result)

    CASES[name] = build


add_qlinear("qlinear_add", "QLinearAdd", 2)
add_qlinear("qlinear_mul", "QLinearMul", 2)
add_qlinear("qlinear_sigmoid", "QLinearSigmoid", 1)
add_qlinear("qlinear_leaky_relu", "QLinearLeakyRelu", 1, alpha=0.1)


@case
def quantize(g):
    return g("QuantizeLinear", g.input(*IMAGE), g.weight(values=np.float32(0.02)), g.weight(values=np.uint8(128)))


@case
def dequantize(g):
    x = g.input(values=g.rng.integers(0, 255, IMAGE).astype(np.uint8))
    return g("DequantizeLinear", x, g.weight(values=np.float32(0.02)), g.weight(values=np.uint8(128)))


@case
def matmul_integer(g):
    a = g.input(values=g.rng.integers(0, 255, (128, 384)).astype(np.uint8))
    b = g.input(values=g.rng.integers(-127, 127, (384, 384)).astype(np.int8))
    return g("MatMulInteger", a, b, g.weight(values=np.uint8(128)))


@case
def dynamic_quantize(g):
    return tuple(g("DynamicQuantizeLinear", g.input(*TOKENS), outputs=3))


@case
def half_layer(g):
    """As networks of half precision have them, but for the product."""
    x = g("Cast", g.input(*TOKENS), to=10)
    x = g("Add", x, g.weight(values=g.random(384).astype(np.float16)))
    x = g("Softmax", g("Mul", x, g("Sigmoid", x)), axis=-1)
    return g("Cast", x, to=1)


@case
def einsum_of_values(g):
    return g("Einsum", g.input(2, 64, 8, 32), g.input(2, 64, 8, 32), equation="bqhd,bkhd->bhqk")


@case
def attention_of_parts(g):
    q, k, v = (g.input(1, 12, 128, 32) for _ in range(3))
    scores = g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2]))
    scores = g("Mul", scores, g.weight(values=np.float32(32**-0.5)))
    return g("MatMul", g("Softmax", scores, axis=-1), v)


@case
def lstm(g):
    x = g.input(50, 1, 64)
    return g("LSTM", x, g.weight(1, 512, 64), g.weight(1, 512, 128), outputs=1, hidden_size=128)


@case
def gru(g):
    x = g.input(50, 1, 64)
    return g("GRU", x, g.weight(1, 384, 64), g.weight(1, 384, 128), outputs=1, hidden_size=128)


@case
def pow_of_two(g):
    return g("Pow", g.input(*TOKENS), g.weight(values=np.float32(2)))


@case
def batch_norm(g):
    positive = g.weight(values=np.abs(g.random(64)) + 0.5)
    return g("BatchNormalization", g.input(*IMAGE), g.weight(64), g.weight(64), g.weight(64), positive)


def time_theirs(model, feeds: dict, threads: int):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def best() -> float:
        quickest, end = math.inf, time.perf_counter() + ROUND_SECONDS
        while time.perf_counter() < end:
            start = time.perf_counter()
            session.run(None, feeds)
            quickest = min(quickest, time.perf_counter() - start)
        return quickest

    return best


def time_ours(tools: Tools, model, feeds: dict, threads: int):
    path = tools.compile(model, target="ideal")
    np.savez(tools.folder / "bench.npz", **feeds)
    argv = [f"--program={path}", f"--input={tools.folder / 'bench.npz'}", "--benchmark_format=json"]
    argv += ["--benchmark_filter=^program/", f"--benchmark_min_time={ROUND_SECONDS}", f"--threads={threads}"]

    def best() -> float:
        return json.loads(tools.succeed("mho-bench", *argv).out)["benchmarks"][0]["best_us"] * 1e-6

    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bin", type=Path, default=SOURCE / "build" / "release" / "bin")
    options = parser.parse_args()
    names = [n for n in CASES if not options.patterns or any(p in n for p in options.patterns)]
    if not names:
        sys.exit(f"no case is named so; there are {', '.join(CASES)}")
    print(f"{'operator':24} {'ORT us':>9} {'mho us':>9} {'ratio':>6}")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        tools = Tools(options.bin.resolve(), Path(folder))
        for name in names:
            graph = Graph(opset=21 if name in ("Gelu", "GridSample") else 18)
            outputs = CASES[name](graph)
            model = graph.model(
                *(outputs if isinstance(outputs, tuple) else (outputs,)),
                check=not any(node.domain for node in graph.nodes),
            )
            theirs = time_theirs(model, graph.feeds, options.threads)
            ours = time_ours(tools, model, graph.feeds, options.threads)
            best = [math.inf, math.inf]
            for _ in range(options.rounds):
                best = [min(best[0], theirs()), min(best[1], ours())]
            ratios.append(best[1] / best[0])
            print(f"{name:24} {best[0] * 1e6:9.1f} {best[1] * 1e6:9.1f} {ratios[-1]:6.2f}", flush=True)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean {mean:.2f}, worst {max(ratios):.2f}")


if __name__ == "__main__":
    main()
