"""The weights file: safetensors with the facts that are needed to use it."""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from inference.segmenters.base import ModelError
from inference.segmenters.reference.labels import LABELS
from inference.supply.tensors import load_safetensors
from inference.supply.trust import ANYONE, Trust
from inference.supply.verified import VerifiedModel, open_model

FORMAT = "maskwatch-reference-1"
DEFAULT_WEIGHTS = Path(__file__).parent / "weights.safetensors"
SHIPPED_SHA256 = "9b7be1853f88d46e34200428068fa3ee8168d197d6f2ef271a54801456639715"
"""Of the file above. Training it anew changes both."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Tensors by name, and the SHA-256 of the file that they came from."""

    tensors: dict[str, Tensor]
    digest: str


def write_weights(path: Path, tensors: dict[str, Tensor], facts: dict[str, object]) -> None:
    """Write half-precision tensors with training facts beside them."""
    halves = {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor.contiguous()
        for name, tensor in tensors.items()
    }
    metadata = {"format": FORMAT, "labels": ",".join(LABELS), "training": json.dumps(facts)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_bytes(save(halves, metadata))
    partial.replace(path)


def shipped_sha256(path: Path) -> str | None:
    """The digest that the weights at a path must have, if they are the shipped ones."""
    return SHIPPED_SHA256 if path.resolve() == DEFAULT_WEIGHTS.resolve() else None


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
    return open_model(path, trust, shipped_sha256(path))


def read_weights(path: Path, trust: Trust = ANYONE) -> Weights:
    """Check a weights file and read its tensors in single precision.

    Raises:
        ModelError: see :func:`open_weights` and :func:`weights_of`.
    """
    return weights_of(open_weights(path, trust))


def weights_of(model: VerifiedModel) -> Weights:
    """The tensors of a checked file, in single precision.

    Raises:
        ModelError: the file is damaged or made for another segmenter.
    """
    path = model.path
    data = model.read(path.name)
    try:
        tensors = load_safetensors(data, path.name)
    except ModelError:
        raise ModelError(
            f"The model file {path} is damaged or no safetensors file: replace it, or unset "
            "MASKWATCH_MODEL to use the weights that Maskwatch ships."
        ) from None
    if _metadata(data).get("format") != FORMAT:
        raise ModelError(
            f"The model file {path} is not made for the reference segmenter: check "
            "MASKWATCH_MODEL, or unset it to use the weights that Maskwatch ships."
        )
    single = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
    return Weights(single, model.digest)


def _metadata(data: bytes) -> dict[str, str]:
    """The header's free text; its length stands in the first eight bytes."""
    length = int.from_bytes(data[:8], "little")
    found: dict[str, str] = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return found
