"""Writes the small model called argv[1] to argv[2]."""

import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def array(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.array(values, dtype), name)


def node(kind, inputs, outputs, name="", **attributes):
    return helper.make_node(kind, inputs, outputs, name, **attributes)


def model(nodes, inputs, outputs, weights=(), opset=18, functions=(), domains=()):
    graph = helper.make_graph(nodes, "test", inputs, outputs, weights)
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=8)


def padded():
    """Convolution and pooling with automatic padding, uneven on an even kernel."""
    nodes = [
        node("Conv", ["x", "w"], ["a"], "conv", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("MaxPool", ["a"], ["y"], "pool", auto_pad="SAME_LOWER", kernel_shape=[2, 2]),
    ]
    return model(nodes, [value("x", ["n", 3, 9, 8])], [value("y", None)], [array("w", np.ones((4, 3, 2, 3)))])


def places():
    """Gathering and scattering at computed places, and an order along an axis in front."""
    nodes = [
        node("GatherElements", ["x", "i"], ["a"], "elements", axis=0),
        node("GatherND", ["a", "t"], ["b"], "tuples"),
        node("ScatterND", ["a", "t", "b"], ["c"], "rows", reduction="max"),
        node("TopK", ["c", "k"], ["y", "z"], "order", axis=0, largest=0),
    ]
    inputs = [value("x", [4, 3]), value("i", [5, 3], TensorProto.INT32), value("t", [2, 1], TensorProto.INT64)]
    return model(nodes, inputs, [value("y", None), value("z", None, TensorProto.INT64)], [array("k", [2], np.int64)])


def resized():
    """Nearest elements twice as many, then interpolated along one axis."""
    nodes = [
        node("Resize", ["x", "", "twice"], ["a"], "nearest", mode="nearest"),
        node("Resize", ["a", "", "", "size"], ["y"], "linear", mode="linear", axes=[3]),
    ]
    weights = [array("twice", [1, 1, 2, 2]), array("size", [3], np.int64)]
    return model(nodes, [value("x", [1, 2, 3, 4])], [value("y", None)], weights)


def turned():
    """A transposed convolution in two groups."""
    nodes = [node("ConvTranspose", ["x", "w"], ["y"], "up", strides=[2, 1], pads=[1, 0, 0, 0], group=2)]
    return model(nodes, [value("x", [1, 4, 3, 5])], [value("y", None)], [array("w", np.ones((4, 3, 2, 3)))])


def shapes():
    """A target shape computed from the input's shape, and a step that runs backwards."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"], axis=0),
        node("Unsqueeze", ["n", "axis"], ["n1"]),
        node("Concat", ["n1", "rest"], ["target"], axis=0),
        node("Reshape", ["x", "target"], ["r"], "reshape"),
        node("Slice", ["r", "starts", "ends", "axes", "steps"], ["y"], "backwards"),
    ]
    weights = [
        array(name, data, np.int64)
        for name, data in {
            "zero": 0,
            "axis": [0],
            "rest": [-1],
            "starts": [-1],
            "ends": [-(2**31)],
            "axes": [1],
            "steps": [-2],
        }.items()
    ]
    return model(nodes, [value("x", ["n", 2, 3])], [value("y", None)], weights)


def old():
    """Opset 6 and 9 forms: bounds as attributes, broadcasting at an axis."""
    nodes = [
        node("Add", ["x", "b"], ["a"], "add", axis=1, broadcast=1),
        node("Clip", ["a"], ["c"], "clip", min=0.0, max=6.0),
        node("Softmax", ["c"], ["y"], "softmax", axis=1),
    ]
    return model(nodes, [value("x", [2, 3, 4])], [value("y", None)], [array("b", [1, 2, 3])], opset=6)


def function():
    """An operator that ONNX gives as a body of others, and one that the model does."""
    body = [node("Mul", ["a", "a"], ["sq"]), node("Add", ["sq", "a"], ["out"])]
    local = helper.make_function("my", "Square", ["a"], ["out"], body, [helper.make_opsetid("", 18)])
    nodes = [
        node("Square", ["x"], ["q"], "square", domain="my"),
        node("LayerNormalization", ["q", "g"], ["y"], "norm"),
    ]
    return model(
        nodes, [value("x", [2, 4])], [value("y", None)], [array("g", np.ones(4))], functions=[local], domains=["my"]
    )


def unsupported():
    """Two unknown operators with one that only follows."""
    nodes = [
        node("Foo", ["x"], ["a"], "foo", domain="my"),
        node("Relu", ["a"], ["b"], "follows"),
        node("Bar", ["x"], ["c"], "bar", domain="my"),
    ]
    return model(nodes, [value("x", [2, 4])], [value("b", None), value("c", None, TensorProto.INT64)], domains=["my"])


def external(location="data.bin", offset=0, length=2048):
    """A weight in another file."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[16, 32], data_location=TensorProto.EXTERNAL)
    for key, text in {"location": location, "offset": offset, "length": length}.items():
        weight.external_data.add(key=key, value=str(text))
    return model([node("MatMul", ["x", "w"], ["y"], "product")], [value("x", [1, 16])], [value("y", [1, 32])], [weight])


def escaping():
    return external("../data.bin")


def past_end():
    return external(offset=1 << 40)


def huge():
    """A declared size that nobody could allocate."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 30, 1 << 30])
    return model([node("MatMul", ["x", "w"], ["y"])], [value("x", [1, 1 << 30])], [value("y", None)], [weight])


def mismatch():
    return model(
        [node("MatMul", ["x", "w"], ["y"], "product")],
        [value("x", [2, 3])],
        [value("y", None)],
        [array("w", np.ones((4, 5)))],
    )


def cycle():
    nodes = [node("Add", ["x", "b"], ["a"], "first"), node("Relu", ["a"], ["b"], "second")]
    return model(nodes, [value("x", [2])], [value("b", [2])])


def twice():
    nodes = [node("Relu", ["x"], ["y"], "first"), node("Neg", ["x"], ["y"], "second")]
    return model(nodes, [value("x", [2])], [value("y", [2])])


def open_dimension():
    return model([node("Relu", ["x"], ["y"], "relu")], [value("x", ["n", "time"])], [value("y", None)])


def unnamed_dimensions():
    """What some exporters write for every extent that they do not know."""
    return model([node("Relu", ["x"], ["y"], "relu")], [value("x", ["?", 3, "?", "?"])], [value("y", None)])


def frozen():
    """An input that says how to reshape another."""
    return model(
        [node("Reshape", ["x", "to"], ["y"], "reshape")],
        [value("x", [2, 6]), value("to", [2], TensorProto.INT64)],
        [value("y", None)],
    )


def sequence(name, kind=TensorProto.FLOAT):
    return helper.make_tensor_sequence_value_info(name, kind, None)


def sequences():
    """A tensor cut into a sequence, which is changed, mapped and joined; and a sequence at the border."""
    body = helper.make_graph([node("Mul", ["e", "x"], ["m"], "scale")], "body", [value("e", None)], [value("m", None)])
    nodes = [
        node("SplitToSequence", ["x", "two"], ["s"], "split"),
        node("SequenceErase", ["s", "one"], ["t"], "erase"),
        node("SequenceInsert", ["t", "x", "zero"], ["u"], "insert"),
        node("ConcatFromSequence", ["u"], ["y"], "join", axis=0),
        node("SequenceMap", ["q"], ["z"], "map", body=body),
        node("SequenceLength", ["q"], ["n"], "count"),
    ]
    weights = [array(name, data, np.int64) for name, data in {"zero": 0, "one": 1, "two": 2}.items()]
    return model(
        nodes,
        [value("x", [5]), sequence("q")],
        [value("y", None), sequence("z"), value("n", [], TensorProto.INT64)],
        weights,
    )


def optionals():
    """An optional that is there, and one that the user says is not."""
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [3]))
    nodes = [
        node("OptionalGetElement", ["a"], ["y"], "get"),
        node("OptionalHasElement", ["b"], ["has"], "has"),
    ]
    inputs = [helper.make_value_info(name, kind) for name in "ab"]
    return model(nodes, inputs, [value("y", [3]), value("has", [], TensorProto.BOOL)])


def sequence_in_tensor_operator():
    return model([node("Relu", ["q"], ["y"], "relu")], [sequence("q")], [value("y", None)])


def quantized():
    """Integer products with constant and with given weights; weights behind blocks of scales."""
    nodes = [
        node("QLinearMatMul", ["x", "s", "z", "w", "ws", "wz", "ys", "z"], ["a"], "weights"),
        node("MatMulInteger", ["x", "v", "z"], ["b"], "integers"),
        node("DequantizeLinear", ["w", "bs"], ["d"], "blocks", axis=0, block_size=2),
        node("MatMul", ["f", "d"], ["c"], "product"),
    ]
    weights = [
        array("s", 0.5),
        array("z", 3, np.uint8),
        array("w", np.arange(-6, 6).reshape(4, 3), np.int8),
        array("ws", [0.5, 0.25, 1]),
        array("wz", [0, 1, 2], np.int8),
        array("ys", 2),
        array("bs", np.full((2, 3), 0.5)),
    ]
    inputs = [value("x", [2, 4], TensorProto.UINT8), value("v", [4, 5], TensorProto.INT8), value("f", [2, 4])]
    outputs = [value("a", None, TensorProto.UINT8), value("b", None, TensorProto.INT32), value("c", None)]
    return model(nodes, inputs, outputs, weights, opset=21)


def packed():
    """MatMulNBits: two rows of a column in a byte, and a node that uses strings."""
    nodes = [
        node(
            "MatMulNBits", ["x", "w", "s"], ["y"], "few_bits", domain="com.microsoft", K=16, N=1, bits=4, block_size=16
        ),
        node("Cast", ["y"], ["t"], "text", to=TensorProto.STRING),
    ]
    weights = [array("w", np.full((1, 1, 8), 0x9F), np.uint8), array("s", [0.5])]
    outputs = [value("t", None, TensorProto.STRING)]
    return model(nodes, [value("x", [1, 16])], outputs, weights, opset=21, domains=["com.microsoft"])


def trees():
    """One split with a leaf on each side."""
    attributes = dict(nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[1, 0, 0])
    attributes |= dict(nodes_values=[0.5, 0.0, 0.0], nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"])
    attributes |= dict(nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0], n_targets=1)
    attributes |= dict(target_treeids=[0, 0], target_nodeids=[1, 2], target_ids=[0, 0], target_weights=[-1.0, 1.0])
    split = node("TreeEnsembleRegressor", ["x"], ["y"], "forest", domain="ai.onnx.ml", **attributes)
    return model([split], [value("x", [3, 2])], [value("y", [3, 1])], domains=["ai.onnx.ml"])


if __name__ == "__main__":
    with open(sys.argv[2], "wb") as file:
        file.write(globals()[sys.argv[1]]().SerializeToString())
