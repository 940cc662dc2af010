"""Tensors from bytes, and nothing else: no other object is made and no code of a file runs."""

from collections.abc import Mapping
from io import BytesIO

import safetensors.torch
import structlog
import torch
from safetensors import SafetensorError
from torch import Tensor

from inference.supply.advice import advise
from inference.supply.errors import ModelError

_log = structlog.get_logger(__name__)
# ModelScope's checkpoints hold the weights under this name.
_INNER = "model"


def load_tensors(data: bytes, name: str) -> dict[str, Tensor]:
    """Tensors by name, on the CPU.

    Args:
        data: content of a safetensors file or a PyTorch checkpoint: a state dictionary, or one
            under the key ``model``.
        name: of the file; safetensors if it ends like that.

    Raises:
        ModelError: it is damaged, or holds something else than tensors.
    """
    return load_safetensors(data, name) if name.endswith(".safetensors") else _unpickle(data, name)


def load_safetensors(data: bytes, name: str) -> dict[str, Tensor]:
    """Tensors of a safetensors file.

    Raises:
        ModelError: it is none.
    """
    try:
        return safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(
            f"The model file {name} is damaged or no safetensors file: get it again."
        ) from error


def _unpickle(data: bytes, name: str) -> dict[str, Tensor]:
    _warn(data, name)
    try:
        content = torch.load(BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:
        raise ModelError(
            f"The model file {name} is damaged or holds more than tensors: get it again from where "
            "you trust it, or as safetensors."
        ) from error
    return _tensors(content, name)


def _warn(data: bytes, name: str) -> None:
    advice = advise(data, name)
    if advice.dangerous:
        _log.warning("a model file would run code", file=name, calls=advice.dangerous)


def _tensors(content: object, name: str) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get(_INNER), Mapping):
        content = content[_INNER]
    if not isinstance(content, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    ):
        raise ModelError(
            f"The model file {name} is no state dictionary of tensors: get the weights alone."
        )
    return dict(content)
