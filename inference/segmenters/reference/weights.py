"""The weights file: safetensors with the facts that are needed to use it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from inference.segmenters.base import ModelError
from inference.segmenters.reference.labels import LABELS

FORMAT = "maskwatch-reference-1"
DEFAULT_WEIGHTS = Path(__file__).parent / "weights.safetensors"


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


def read_weights(path: Path) -> Weights:
    """Read tensors in single precision.

    Raises:
        ModelError: the file is missing, damaged or made for another segmenter.
    """
    try:
        data = path.read_bytes()
        tensors = load(data)
    except OSError as error:
        raise ModelError(
            f"The model file {path} cannot be read ({error.strerror}): set MASKWATCH_MODEL_FILE to "
            "a reference segmenter's weights, or unset it to use the ones that Maskwatch ships."
        ) from None
    except SafetensorError:
        raise ModelError(
            f"The model file {path} is damaged or no safetensors file: replace it, or unset "
            "MASKWATCH_MODEL_FILE to use the weights that Maskwatch ships."
        ) from None
    if _metadata(data).get("format") != FORMAT:
        raise ModelError(
            f"The model file {path} is not made for the reference segmenter: check "
            "MASKWATCH_MODEL_FILE, or unset it to use the weights that Maskwatch ships."
        )
    single = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
    return Weights(single, sha256(data).hexdigest())


def _metadata(data: bytes) -> dict[str, str]:
    """The header's free text; its length stands in the first eight bytes."""
    length = int.from_bytes(data[:8], "little")
    found: dict[str, str] = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return found
