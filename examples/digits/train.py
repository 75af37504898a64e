"""Trains the digits network with NumPy alone and writes digits.onnx beside it.

Three 3x3 convolutions with batch normalization, one of them in a residual
block, then max pooling, global average pooling and a dense layer. The same
seed gives the same network on the same machine.

Part of mho, under the Apache License v2.0 with LLVM Exceptions.
SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from data import load_split

EPSILON = 1e-5
MOMENTUM = 0.9
LAYERS = {"conv1": (1, 24), "conv2": (24, 48), "conv3": (48, 48)}


class Adam:
    """Adam with decoupled weight decay; the decay spares vectors."""

    def __init__(self, parameters, decay=1e-3):
        self.parameters, self.decay, self.step = parameters, decay, 0
        self.mean = {name: np.zeros_like(value) for name, value in parameters.items()}
        self.square = {name: np.zeros_like(value) for name, value in parameters.items()}

    def update(self, gradients, rate):
        self.step += 1
        for name, gradient in gradients.items():
            mean, square, value = self.mean[name], self.square[name], self.parameters[name]
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            step = mean / (1 - 0.9**self.step) / (np.sqrt(square / (1 - 0.999**self.step)) + 1e-8)
            if value.ndim > 1:
                step += self.decay * value
            value -= rate * step


class Network:
    """Parameters, running statistics, forward and backward pass (images NHWC)."""

    def __init__(self, rng):
        self.parameters, self.statistics = {}, {}
        for name, (inputs, outputs) in LAYERS.items():
            fan_in = 9 * inputs
            weights = rng.standard_normal((fan_in, outputs)) * np.sqrt(2 / fan_in)
            self.parameters[f"{name}.weight"] = weights.astype(np.float32)  # rows (kh, kw, c)
            self.parameters[f"{name}.gamma"] = np.ones(outputs, np.float32)
            self.parameters[f"{name}.beta"] = np.zeros(outputs, np.float32)
            self.statistics[name] = [np.zeros(outputs, np.float32), np.ones(outputs, np.float32)]
        features = LAYERS["conv3"][1]
        self.parameters["dense.weight"] = (rng.standard_normal((features, 10)) * features**-0.5).astype(np.float32)
        self.parameters["dense.bias"] = np.zeros(10, np.float32)

    def convolve(self, name, x, cache):
        """3x3 convolution, zero border of 1, then batch normalization."""
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        n, height, width, channels = x.shape
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * channels)
        sums = patches @ self.parameters[f"{name}.weight"]
        mean, variance = sums.mean(0), sums.var(0)
        running = self.statistics[name]
        running[0] = MOMENTUM * running[0] + (1 - MOMENTUM) * mean
        running[1] = MOMENTUM * running[1] + (1 - MOMENTUM) * variance
        inverse = 1 / np.sqrt(variance + EPSILON)
        normalized = (sums - mean) * inverse
        cache[name] = (x.shape, patches, normalized, inverse)
        result = normalized * self.parameters[f"{name}.gamma"] + self.parameters[f"{name}.beta"]
        return result.reshape(n, height, width, -1)

    def convolve_backward(self, name, gradient, cache, gradients):
        shape, patches, normalized, inverse = cache[name]
        flat = gradient.reshape(-1, gradient.shape[-1])
        gradients[f"{name}.beta"] = flat.sum(0)
        gradients[f"{name}.gamma"] = (flat * normalized).sum(0)
        scaled = flat * self.parameters[f"{name}.gamma"]
        sums = inverse * (scaled - scaled.mean(0) - normalized * (scaled * normalized).mean(0))
        gradients[f"{name}.weight"] = patches.T @ sums
        n, height, width, channels = shape
        windows = (sums @ self.parameters[f"{name}.weight"].T).reshape(n, height, width, 3, 3, channels)
        padded = np.zeros((n, height + 2, width + 2, channels), np.float32)
        for row in range(3):
            for column in range(3):
                padded[:, row : row + height, column : column + width] += windows[:, :, :, row, column]
        return padded[:, 1:-1, 1:-1]

    def step(self, images, labels):
        """Loss and gradients of one batch."""
        cache, gradients = {}, {}
        one = np.maximum(self.convolve("conv1", images, cache), 0)
        two = np.maximum(self.convolve("conv2", one, cache), 0)
        n, height, width, channels = two.shape
        blocks = two.reshape(n, height // 2, 2, width // 2, 2, channels)
        pooled = blocks.max((2, 4))
        three = np.maximum(self.convolve("conv3", pooled, cache) + pooled, 0)
        features = three.mean((1, 2))
        logits = features @ self.parameters["dense.weight"] + self.parameters["dense.bias"]

        shifted = np.exp(logits - logits.max(1, keepdims=True))
        probabilities = shifted / shifted.sum(1, keepdims=True)
        loss = -np.log(probabilities[np.arange(n), labels]).mean()
        gradient = probabilities.copy()
        gradient[np.arange(n), labels] -= 1
        gradient /= n
        gradients["dense.weight"] = features.T @ gradient
        gradients["dense.bias"] = gradient.sum(0)
        plane = gradient @ self.parameters["dense.weight"].T / (three.shape[1] * three.shape[2])
        after = (three > 0) * plane[:, None, None]
        before = after + self.convolve_backward("conv3", after, cache, gradients)
        largest = blocks == pooled[:, :, None, :, None]
        share = largest / largest.sum((2, 4), keepdims=True)
        unpooled = (share * before[:, :, None, :, None]).reshape(two.shape).astype(np.float32)
        before = self.convolve_backward("conv2", unpooled * (two > 0), cache, gradients)
        self.convolve_backward("conv1", before * (one > 0), cache, gradients)
        return loss, gradients


def train(images, labels, epochs, seed):
    rng = np.random.default_rng(seed)
    network = Network(rng)
    optimizer = Adam(network.parameters)
    images = images.transpose(0, 2, 3, 1)
    batch, steps = 64, epochs * (len(images) // 64)
    for epoch in range(epochs):
        order, losses = rng.permutation(len(images)), []
        for start in range(0, len(images) - batch + 1, batch):
            chosen = order[start : start + batch]
            # Half of the batches move by a pixel, so the network learns place least.
            dx, dy = rng.integers(-1, 2, 2) * rng.integers(0, 2)
            moved = np.roll(images[chosen], (dx, dy), (1, 2))
            loss, gradients = network.step(moved, labels[chosen])
            rate = 3e-3 * 0.5 * (1 + np.cos(np.pi * optimizer.step / steps))
            optimizer.update(gradients, rate)
            losses.append(loss)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    return network


def to_onnx(network):
    """The network as ONNX (opset 18), images NCHW, the batch dimension open."""
    nodes, weights = [], []

    def constant(name, value):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def convolution(name, source):
        inputs, outputs = LAYERS[name]
        kernel = network.parameters[f"{name}.weight"].reshape(3, 3, inputs, outputs).transpose(3, 2, 0, 1)
        mean, variance = network.statistics[name]
        nodes.append(
            helper.make_node(
                "Conv",
                [source, constant(f"{name}.weight", kernel)],
                [f"{name}.sums"],
                name,
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
            )
        )
        parameters = [
            constant(f"{name}.gamma", network.parameters[f"{name}.gamma"]),
            constant(f"{name}.beta", network.parameters[f"{name}.beta"]),
            constant(f"{name}.mean", mean),
            constant(f"{name}.variance", variance),
        ]
        norm = f"norm{name[-1]}"
        nodes.append(
            helper.make_node("BatchNormalization", [f"{name}.sums", *parameters], [norm], norm, epsilon=EPSILON)
        )
        return norm

    def node(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    x = node("Relu", [convolution("conv1", "image")], "relu1")
    x = node("Relu", [convolution("conv2", x)], "relu2")
    pooled = node("MaxPool", [x], "pool", kernel_shape=[2, 2], strides=[2, 2])
    x = node("Add", [convolution("conv3", pooled), pooled], "residual")
    x = node("Relu", [x], "relu3")
    x = node("GlobalAveragePool", [x], "features")
    x = node("Flatten", [x], "flat")
    dense = [
        x,
        constant("dense.weight", network.parameters["dense.weight"]),
        constant("dense.bias", network.parameters["dense.bias"]),
    ]
    nodes.append(helper.make_node("Gemm", dense, ["logits"], "dense"))

    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="mho examples/digits")
    model.ir_version = 9
    onnx.checker.check_model(model, full_check=True)
    return model


def accuracy(path, images, labels):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return float((session.run(None, {"image": images})[0].argmax(1) == labels).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("digits.onnx"))
    options = parser.parse_args()

    train_images, test_images, train_labels, test_labels = load_split()
    network = train(train_images, train_labels, options.epochs, options.seed)
    onnx.save(to_onnx(network), options.output)
    print(f"training images: {accuracy(options.output, train_images, train_labels):.2%}")
    print(f"held-out images: {accuracy(options.output, test_images, test_labels):.2%}")


if __name__ == "__main__":
    main()
