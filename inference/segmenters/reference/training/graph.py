"""Puts an ONNX graph together, layer by layer; each call adds nodes and returns the last's name."""

from typing import Any, cast

import numpy as np
from onnx import GraphProto, NodeProto, ValueInfoProto, helper, numpy_helper
from onnx import TensorProto as Types
from torch import Tensor, nn


class Graph:
    """Nodes and constants; parameters are kept in half precision under the names of torch.

    Layers are taken from a network, by their names in it.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, Any] = {}

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node; without a name of its own its output is numbered."""
        name = output or f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, value: Any, kind: type[np.generic] = np.float32) -> str:
        """Add an array, numbered."""
        name = f"constant_{len(self._constants)}"
        self._constants[name] = np.asarray(value, dtype=kind)
        return name

    def parameter(self, name: str, value: Tensor) -> str:
        """Add a parameter of the network; it is made single where it is used."""
        self._constants[name] = value.detach().half().numpy()
        return self.add("Cast", name, to=Types.FLOAT)

    def has_convolution(self, name: str) -> bool:
        """Whether the layer of a name is a convolution."""
        return isinstance(self._network.get_submodule(name), nn.Conv2d)

    def convolution(self, x: str, name: str, output: str = "") -> str:
        """A convolution with its padding, and its bias if it has one."""
        layer = cast(nn.Conv2d, self._network.get_submodule(name))
        weights = [self.parameter(f"{name}.{key}", p) for key, p in layer.named_parameters()]
        padding = cast(tuple[int, int], layer.padding)
        sizes = {
            "kernel_shape": layer.kernel_size,
            "strides": layer.stride,
            "pads": (*padding, *padding),
        }
        return self.add("Conv", x, *weights, output=output, **sizes)

    def norm(self, x: str, name: str) -> str:
        """A batch norm with the statistics that it has; the runtime folds it away."""
        layer = cast(nn.BatchNorm2d, self._network.get_submodule(name))
        state = layer.state_dict()
        keys = ("weight", "bias", "running_mean", "running_var")
        values = [self.parameter(f"{name}.{key}", state[key]) for key in keys]
        return self.add("BatchNormalization", x, *values, epsilon=layer.eps)

    def double(self, x: str) -> str:
        """Twice as high and wide, bilinear."""
        scales = self.constant((1, 1, 2, 2))
        return self.add("Resize", x, "", scales, mode="linear")

    def resize(self, x: str, like: str) -> str:
        """As high and wide as another tensor, bilinear."""
        sides = self.add("Shape", x, end=2), self.add("Shape", like, start=2)
        return self.add("Resize", x, "", "", self.add("Concat", *sides, axis=0), mode="linear")

    def pool(self, x: str, bins: tuple[int, int]) -> str:
        """Means over a grid of bins, as torch's adaptive pooling cuts them."""
        if bins == (1, 1):
            return self.add("GlobalAveragePool", x)
        rows, columns = (self._shares(x, *side) for side in zip((2, 3), bins, strict=True))
        across = self.add("MatMul", x, self.add("Transpose", columns, perm=(1, 0)))
        return self.add("MatMul", rows, across)

    def _shares(self, x: str, axis: int, bins: int) -> str:
        """The share ``(bins, side)`` of each row or column in each bin's mean.

        Bin i of k covers [i·n // k, ((i + 1)·n + k - 1) // k) of n.
        """
        side = self.add("Shape", x, start=axis, end=axis + 1)
        steps = np.arange(bins)[:, None]
        count = self.constant(bins, np.int64)
        first = self._quotient(side, steps, 0, count)
        last = self._quotient(side, steps + 1, bins - 1, count)
        at = self._positions(side)
        inside = self.add("And", self.add("GreaterOrEqual", at, first), self.add("Less", at, last))
        width = self.add("Cast", self.add("Sub", last, first), to=Types.FLOAT)
        return self.add("Div", self.add("Cast", inside, to=Types.FLOAT), width)

    def _quotient(self, side: str, steps: Any, more: int, count: str) -> str:
        product = self.add("Mul", side, self.constant(steps, np.int64))
        return self.add("Div", self.add("Add", product, self.constant(more, np.int64)), count)

    def _positions(self, side: str) -> str:
        """0, 1, 2 … below the length of a side."""
        length = self.add("Squeeze", side)
        return self.add("Range", self.constant(0, np.int64), length, self.constant(1, np.int64))

    def build(self, inputs: list[ValueInfoProto], outputs: list[ValueInfoProto]) -> GraphProto:
        """The whole graph."""
        weights = [numpy_helper.from_array(value, name) for name, value in self._constants.items()]
        return helper.make_graph(self._nodes, "reference", inputs, outputs, weights)
