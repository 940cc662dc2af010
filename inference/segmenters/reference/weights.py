"""The weights file: an ONNX network with the facts that are needed to use it."""

from collections.abc import Iterable
from pathlib import Path

from inference.segmenters.reference.labels import LABELS
from inference.supply.errors import ModelError
from inference.supply.onnx_graph import Port, UnfitGraph, check_graph
from inference.supply.trust import ANYONE, ShippedFile, Trust
from inference.supply.verified import VerifiedModel, open_model

FORMAT = "maskwatch-reference-2"
INPUT, OUTPUT = "pictures", "logits"
"""RGB ``(N, 3, H, W)`` float32 in [0, 1], and logits ``(N, 15, H / 2, W / 2)``."""

_INPUTS = [(INPUT, 4, (3, "float32"))]
_OUTPUTS = [(OUTPUT, 4, (len(LABELS), "float32"))]
MAX_BYTES = 64 << 20
"""Sixteen times what the reference segmenter takes."""

DEFAULT_WEIGHTS = Path(__file__).parent / "weights.onnx"
SHIPPED_SHA256 = "3989d4d3edf99492caaefb92f1a978fcbe9e53057abe8c9274471de233547aed"
"""Of the file above. Training it anew changes both."""
SHIPPED_WEIGHTS = ShippedFile(DEFAULT_WEIGHTS, SHIPPED_SHA256)


def open_weights(path: Path, trust: Trust = ANYONE) -> VerifiedModel:
    """Check a weights file before anything of it is loaded.

    Raises:
        ModelError: the file is missing, not trusted, or not what it has to be.
    """
    if not path.is_file():
        why = "Is a directory" if path.is_dir() else "No such file"
        raise ModelError(
            f"The model file {path} cannot be read ({why}): set MASKWATCH_MODEL to weights of "
            "a reference segmenter, or unset it to use the ones that Maskwatch ships."
        )
    return open_model(path, trust, SHIPPED_WEIGHTS)


def read_network_file(model: VerifiedModel) -> bytes:
    """The bytes of a verified file that holds a plain network of the reference segmenter's kind.

    Raises:
        ModelError: it is too large, damaged, holds more than a plain network, or another one.
    """
    if model.files[0].size > MAX_BYTES:
        raise _unfit(model.path, f"is larger than {MAX_BYTES >> 20} MiB")
    data = model.read(model.path.name)
    try:
        graph = check_graph(data)
    except UnfitGraph as fault:
        raise _unfit(model.path, str(fault)) from None
    if graph.metadata.get("format") != FORMAT or graph.metadata.get("labels") != ",".join(LABELS):
        raise _unfit(model.path, "is not made for the reference segmenter")
    if _ports(graph.inputs) != _INPUTS or _ports(graph.outputs) != _OUTPUTS:
        raise _unfit(model.path, "has other inputs or outputs than the reference segmenter")
    return data


def _ports(ports: Iterable[Port]) -> list[tuple[str, int, tuple[int | str, ...]]]:
    """Name, number of sides, and channels and type of each."""
    return [(port.name, len(port.sides), (*port.sides[1:2], port.element)) for port in ports]


def _unfit(path: Path, why: str) -> ModelError:
    return ModelError(
        f"The model file {path} {why}: check MASKWATCH_MODEL, or unset it to use the weights that "
        "Maskwatch ships."
    )
