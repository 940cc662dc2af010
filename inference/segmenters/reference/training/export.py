"""Writes a trained network as ONNX, the form in which it is kept and served, and reads it back.

Parameters keep their names and half precision, so that the file that serves is also where further
training and gradients start. Sizes are free: any number of pictures whose sides are multiples of
16.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from onnx import ModelProto, TensorProto, helper, load_model_from_string, numpy_helper
from torch import Tensor, nn

from inference.segmenters.base import ModelError
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.graph import Graph
from inference.segmenters.reference.training.network import (
    BINS,
    DEVIATION,
    MEAN,
    Block,
    Context,
    ReferenceNetwork,
)
from inference.segmenters.reference.weights import (
    FORMAT,
    INPUT,
    OUTPUT,
    open_weights,
    read_network_file,
)
from inference.supply.trust import ANYONE, Trust
from inference.supply.verified import VerifiedModel

# The oldest that have all that is used, so that older runtimes read the file as well.
_OPERATOR_SET, _IR_VERSION = 18, 8
# Counts batches in training; nothing is computed with it.
_COUNTER = "num_batches_tracked"


def write_network(path: Path, network: ReferenceNetwork, facts: Mapping[str, object]) -> None:
    """Write a network with the facts of its training; the same of both give the same bytes."""
    data = exported(network, facts).SerializeToString(deterministic=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_bytes(data)
    partial.replace(path)


def exported(network: ReferenceNetwork, facts: Mapping[str, object]) -> ModelProto:
    """The network as an ONNX model, with mean and deviation of the colours inside."""
    graph = Graph()
    _add_network(graph, network)
    model = helper.make_model(
        graph.built([_port(INPUT, 3, "")], [_port(OUTPUT, len(LABELS), "half ")]),
        producer_name="maskwatch",
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPERATOR_SET)],
    )
    metadata = {"format": FORMAT, "labels": ",".join(LABELS), "training": json.dumps(facts)}
    helper.set_model_props(model, metadata)
    return model


def read_network(path: Path, trust: Trust = ANYONE) -> ReferenceNetwork:
    """Check a file as a start would, and read the network in single precision.

    Raises:
        ModelError: see :func:`network_of` and :func:`open_weights`.
    """
    return network_of(open_weights(path, trust))


def network_of(model: VerifiedModel) -> ReferenceNetwork:
    """The network of a checked file, in single precision.

    Raises:
        ModelError: the file is no plain network, or was exported from another one.
    """
    data = read_network_file(model)
    network = ReferenceNetwork(len(LABELS))
    try:
        left_out, _ = network.load_state_dict(_parameters(data), strict=False)
        fits = all(name.endswith(_COUNTER) for name in left_out)
    except RuntimeError:
        fits = False
    if not fits:
        raise ModelError(
            f"The model file {model.path} belongs to another version of the reference network: "
            "check the path, or train it again."
        )
    return network


def _parameters(data: bytes) -> dict[str, Tensor]:
    return {
        weights.name: torch.from_numpy(numpy_helper.to_array(weights).copy()).float()
        for weights in load_model_from_string(data).graph.initializer
        if weights.data_type == TensorProto.FLOAT16
    }


def _port(name: str, channels: int, halved: str) -> object:
    sides = ["pictures", channels, f"{halved}height", f"{halved}width"]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, sides)


def _add_network(graph: Graph, network: ReferenceNetwork) -> None:
    """The same steps as :meth:`ReferenceNetwork.forward`; a test compares the answers."""
    mean, deviation = (graph.constant([[[v]] for v in values]) for values in (MEAN, DEVIATION))
    x = graph.add("Div", graph.add("Sub", INPUT, mean), deviation)
    x = graph.convolution(x, "stem.0", network.stem[0])
    x = graph.add("Relu", graph.norm(x, "stem.1", network.stem[1]))
    skips = []
    for number, stage in enumerate(network.down):
        skips.append(x)
        for inner, block in stage.named_children():
            x = _add_block(graph, x, f"down.{number}.{inner}", block)
    x = _add_context(graph, x, network.context)
    steps = zip(network.reduce, network.up, reversed(skips), strict=True)
    for number, (reduce, block, skip) in enumerate(steps):
        reduced = graph.convolution(x, f"reduce.{number}", reduce)
        x = graph.add("Add", graph.doubled(reduced), skip)
        x = _add_block(graph, x, f"up.{number}", block)
    graph.convolution(x, "head", network.head, output=OUTPUT)


def _add_block(graph: Graph, x: str, name: str, block: Block) -> str:
    hidden = graph.convolution(x, f"{name}.first", block.first)
    hidden = graph.add("Relu", graph.norm(hidden, f"{name}.first_norm", block.first_norm))
    hidden = graph.convolution(hidden, f"{name}.second", block.second)
    hidden = graph.norm(hidden, f"{name}.second_norm", block.second_norm)
    if isinstance(block.shortcut, nn.Conv2d):
        x = graph.convolution(x, f"{name}.shortcut", block.shortcut)
    return graph.add("Relu", graph.add("Add", hidden, x))


def _add_context(graph: Graph, x: str, context: Context) -> str:
    parts = [x]
    for number, bins in enumerate(BINS):
        name, layer = f"context.coarse.{number}", context.coarse[number]
        parts.append(graph.resized(graph.convolution(graph.pooled(x, bins), name, layer), x))
    merged = graph.convolution(graph.add("Concat", *parts, axis=1), "context.merge", context.merge)
    return graph.add("Relu", merged)
