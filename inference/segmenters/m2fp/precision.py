"""Which device and which number format a model runs in."""

import torch

from inference.segmenters.choice import Precision
from inference.segmenters.processor import resolve_precision
from inference.supply.errors import ModelError


def device_named(name: str) -> torch.device:
    """The device of a name; ``auto`` takes CUDA where there is one.

    Raises:
        ModelError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ModelError("MASKWATCH_MODEL_DEVICE asks for CUDA, and torch finds none here.")
    return device


def limit_threads(threads: int) -> None:
    """Let each operation of torch use so many threads, in the whole process."""
    torch.set_num_threads(threads)


def format_of(precision: Precision, device: torch.device) -> torch.dtype:
    """``auto`` takes bfloat16 where the device multiplies it itself; elsewhere it is slower."""
    if precision is Precision.AUTO and device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    is_half = resolve_precision(precision) is Precision.BFLOAT16
    return torch.bfloat16 if is_half else torch.float32
