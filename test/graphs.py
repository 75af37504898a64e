"""Builds small ONNX models for tests."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Collects nodes; inputs and weights are seeded random unless given.

    graph = Graph(); x = graph.input(2, 3); y = graph("Relu", x); model = graph.model(y)
    """

    def __init__(self, seed: int = 0, opset: int = 18):
        self.rng = np.random.default_rng(seed)
        self.opset = opset
        self.nodes, self.weights, self.inputs = [], [], []
        self.feeds = {}

    def random(self, *shape, scale: float = 1.0) -> np.ndarray:
        return np.asarray(self.rng.standard_normal(shape) * scale, np.float32)

    def input(self, *shape, values: np.ndarray | None = None, declared=None) -> str:
        """A graph input and what it is fed."""
        name = f"x{len(self.inputs)}"
        values = np.asarray(self.random(*shape) if values is None else values)
        kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        self.inputs.append(helper.make_tensor_value_info(name, kind, declared or values.shape))
        self.feeds[name] = values
        return name

    def weight(self, *shape, values: np.ndarray | None = None) -> str:
        """An initializer; random ones are scaled as a layer's weights."""
        name = f"w{len(self.weights)}"
        if values is None:
            values = self.random(*shape, scale=(np.prod(shape[1:]) if len(shape) > 1 else 4) ** -0.5)
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def int64(self, *values) -> str:
        return self.weight(values=np.array(values, np.int64))

    def __call__(self, kind: str, *inputs: str, outputs: int = 1, name: str | None = None, **attributes):
        number = len(self.nodes)
        names = [f"{kind.lower()}{number}" + (f"_{i}" if i else "") for i in range(outputs)]
        domain = attributes.pop("domain", "")
        node = helper.make_node(kind, inputs, names, name or f"{kind}_{number}", domain=domain, **attributes)
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def model(self, *outputs: str, check: bool = True) -> onnx.ModelProto:
        results = [helper.make_empty_tensor_value_info(name) for name in outputs]
        graph = helper.make_graph(self.nodes, "test", self.inputs, results, self.weights)
        imports = [helper.make_opsetid("", self.opset)]
        imports += [helper.make_opsetid(domain, 1) for domain in sorted({n.domain for n in self.nodes} - {""})]
        model = helper.make_model(graph, opset_imports=imports, ir_version=8)
        if check:
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
            typed = {value.name: value for value in [*inferred.graph.value_info, *inferred.graph.output]}
            for result in model.graph.output:
                result.CopyFrom(typed[result.name])
        else:
            for result in model.graph.output:
                result.CopyFrom(helper.make_tensor_value_info(result.name, TensorProto.FLOAT, None))
        return model


class Bounded(Graph):
    """Inputs may have symbols among their extents, which the run gives."""

    def __init__(self, seed=0, opset=18):
        super().__init__(seed, opset)
        self.declared = {}

    def open(self, *extents, kind=np.float32, high=None):
        """An input with extents that may be symbols; ids below `high` if given."""
        name = f"x{len(self.inputs)}"
        self.inputs.append(
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), extents)
        )
        self.declared[name] = (extents, kind, high)
        return name

    def feed(self, **symbols) -> dict[str, np.ndarray]:
        """Arrays for the extents that symbols have: feed(n=3, m=1)."""
        feeds = dict(self.feeds)
        for name, (extents, kind, high) in self.declared.items():
            shape = [symbols.get(extent, extent) for extent in extents]
            feeds[name] = (self.rng.integers(0, high, shape) if high else self.random(*shape)).astype(kind)
        return feeds


def small_network(seed: int = 0) -> Graph:
    """A convolution, a pooling and two dense layers; output last in `nodes`."""
    graph = Graph(seed)
    x = graph("Conv", graph.input(1, 3, 9, 7), graph.weight(8, 3, 3, 3), graph.weight(8), pads=[1] * 4, name="stem")
    x = graph("MaxPool", graph("Relu", x), kernel_shape=[2, 2], strides=[2, 2])
    x = graph("Relu", graph("Gemm", graph("Flatten", x), graph.weight(96, 33), graph.weight(33), name="hidden"))
    graph("Gemm", x, graph.weight(33, 5), graph.weight(5), name="classes")
    return graph


def last(graph: Graph) -> str:
    return graph.nodes[-1].output[0]
