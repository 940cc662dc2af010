"""Writes a trained network as ONNX, the form in which it is kept and served, and reads it back.

Training writes with this module. ``python -m inference.segmenters.reference.training.export``
writes the parameters of a file anew, after a change of how the graph is written.

Parameters keep their names and half precision, so that the file that serves is also where further
training and gradients start. Sizes are free: any number of pictures whose sides are multiples of
16.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from onnx import (
    ModelProto,
    TensorProto,
    ValueInfoProto,
    helper,
    load_model_from_string,
    numpy_helper,
)
from torch import Tensor

from detectors.errors import MaskwatchError
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.graph import Graph
from inference.segmenters.reference.training.network import (
    BINS,
    DEVIATION,
    MEAN,
    ReferenceNetwork,
)
from inference.segmenters.reference.weights import (
    DEFAULT_WEIGHTS,
    FORMAT,
    INPUT,
    OUTPUT,
    open_weights,
    read_network_file,
)
from inference.supply.errors import ModelError
from inference.supply.trust import ANYONE, Trust
from inference.supply.verified import VerifiedModel

# The oldest that have all that is used, so that older runtimes read the file as well.
_OPERATOR_SET, _IR_VERSION = 18, 8
# Counts batches in training; nothing is computed with it.
_COUNTER = "num_batches_tracked"


def write_network(path: Path, network: ReferenceNetwork, facts: Mapping[str, object]) -> None:
    """Write a network with the facts of its training; the same of both give the same bytes."""
    data = export_network(network, facts).SerializeToString(deterministic=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_bytes(data)
    partial.replace(path)


def export_network(network: ReferenceNetwork, facts: Mapping[str, object]) -> ModelProto:
    """The network as an ONNX model, with mean and deviation of the colours inside."""
    graph = Graph(network)
    _add_network(graph, network)
    model = helper.make_model(
        graph.build([_port(INPUT, 3, "")], [_port(OUTPUT, len(LABELS), "half ")]),
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


def export_again(weights: Path, out: Path) -> str:
    """Write the network of a file anew, with the facts of its training; returns the new SHA-256.

    Raises:
        ModelError: see :func:`read_network`.
    """
    model = open_weights(weights)
    metadata = load_model_from_string(read_network_file(model)).metadata_props
    facts = json.loads(next(entry.value for entry in metadata if entry.key == "training"))
    write_network(out, network_of(model), facts)
    return open_weights(out).digest


def _parameters(data: bytes) -> dict[str, Tensor]:
    return {
        weights.name: torch.from_numpy(numpy_helper.to_array(weights).copy()).float()
        for weights in load_model_from_string(data).graph.initializer
        if weights.data_type == TensorProto.FLOAT16
    }


def _port(name: str, channels: int, prefix: str) -> ValueInfoProto:
    sides = ("pictures", channels, f"{prefix}height", f"{prefix}width")
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, sides)


def _add_network(graph: Graph, network: ReferenceNetwork) -> None:
    """The same steps as :meth:`ReferenceNetwork.forward`; a test compares the answers."""
    mean, deviation = (graph.constant([[[v]] for v in values]) for values in (MEAN, DEVIATION))
    x = graph.add("Div", graph.add("Sub", INPUT, mean), deviation)
    x = graph.add("Relu", graph.norm(graph.convolution(x, "stem.0"), "stem.1"))
    skips = []
    for stage, _ in enumerate(network.down):
        skips.append(x)
        for block in range(2):
            x = _add_block(graph, x, f"down.{stage}.{block}")
    x = _add_context(graph, x)
    for step, skip in enumerate(reversed(skips)):
        wider = graph.double(graph.convolution(x, f"reduce.{step}"))
        x = _add_block(graph, graph.add("Add", wider, skip), f"up.{step}")
    graph.convolution(x, "head", output=OUTPUT)


def _add_block(graph: Graph, x: str, name: str) -> str:
    branch = graph.norm(graph.convolution(x, f"{name}.first"), f"{name}.first_norm")
    branch = graph.convolution(graph.add("Relu", branch), f"{name}.second")
    branch = graph.norm(branch, f"{name}.second_norm")
    if graph.has_convolution(f"{name}.shortcut"):
        x = graph.convolution(x, f"{name}.shortcut")
    return graph.add("Relu", graph.add("Add", branch, x))


def _add_context(graph: Graph, x: str) -> str:
    parts = [x]
    for number, bins in enumerate(BINS):
        coarse = graph.convolution(graph.pool(x, bins), f"context.coarse.{number}")
        parts.append(graph.resize(coarse, x))
    context = graph.convolution(graph.add("Concat", *parts, axis=1), "context.merge")
    return graph.add("Relu", context)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write a reference segmenter's weights anew.")
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS, help="ONNX file to read")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    arguments = parser.parse_args()
    try:
        digest = export_again(arguments.weights, arguments.out)
    except MaskwatchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{digest}  {arguments.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
