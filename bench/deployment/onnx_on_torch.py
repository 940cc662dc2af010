"""Follows a plain ONNX graph node by node on torch, so that gradients reach the picture."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from onnx import GraphProto, NodeProto, helper, numpy_helper
from torch import Tensor
from torch.nn import functional as fn

Attributes = Mapping[str, Any]


class GraphOnTorch:
    """The part of a graph that some of its outputs follow from.

    Args:
        graph: with fixed weights and one input, of operators that BodyPix needs.
        outputs: names of the outputs that are answered, in their order.
    """

    def __init__(self, graph: GraphProto, outputs: Sequence[str]) -> None:
        self._constants = {
            each.name: torch.from_numpy(numpy_helper.to_array(each).copy())
            for each in graph.initializer
        }
        (self._input,) = {each.name for each in graph.input} - self._constants.keys()
        self._outputs = tuple(outputs)
        self._nodes = _needed_nodes(graph, outputs)

    def __call__(self, picture: Tensor) -> list[Tensor]:
        """The values of the outputs for one prepared picture."""
        values = {**self._constants, self._input: picture}
        for node in self._nodes:
            attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            inputs = [values[name] for name in node.input]
            values[node.output[0]] = _OPERATORS[node.op_type](attributes, *inputs)
        return [values[name] for name in self._outputs]


def _needed_nodes(graph: GraphProto, outputs: Sequence[str]) -> list[NodeProto]:
    """Nodes in the order of the graph, which is one in which they can be computed."""
    needed, nodes = set(outputs), []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.append(node)
    return nodes[::-1]


def _convolve(attributes: Attributes, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    strides, dilations = attributes["strides"], attributes.get("dilations", [1, 1])
    sides = zip(x.shape[2:], weight.shape[2:], strides, dilations, strict=True)
    if attributes.get("auto_pad") != b"SAME_UPPER":
        raise ValueError("a convolution is padded otherwise than this follows")
    (top, bottom), (left, right) = (_same_padding(*side) for side in sides)
    padded = fn.pad(x, (left, right, top, bottom))
    groups = attributes.get("group", 1)
    return fn.conv2d(padded, weight, bias, tuple(strides), 0, tuple(dilations), groups)


def _same_padding(length: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Before and after a side, so that a stride of 1 keeps its length.

    >>> _same_padding(8, 3, 2, 1), _same_padding(9, 3, 2, 1)
    ((0, 1), (1, 1))
    """
    count = -(-length // stride)
    total = max(0, (count - 1) * stride + dilation * (kernel - 1) + 1 - length)
    return total // 2, total - total // 2


def _clip(attributes: Attributes, x: Tensor) -> Tensor:
    return x.clamp(attributes["min"], attributes["max"])


def _transpose(attributes: Attributes, x: Tensor) -> Tensor:
    return x.permute(*attributes["perm"])


def _shape(_: Attributes, x: Tensor) -> Tensor:
    return torch.tensor(x.shape)


def _gather(_: Attributes, x: Tensor, indices: Tensor) -> Tensor:
    return x[indices]


def _reshape(_: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    return x.reshape(shape.tolist())


_OPERATORS: Mapping[str, Callable[..., Tensor]] = {
    "Conv": _convolve,
    "Clip": _clip,
    "Transpose": _transpose,
    "Shape": _shape,
    "Gather": _gather,
    "Reshape": _reshape,
}
