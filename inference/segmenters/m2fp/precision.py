"""Which device and which number format a model runs in."""

from pathlib import Path

import torch

from inference.segmenters.base import ModelError
from inference.segmenters.choice import Precision

# x86 and Arm name the same thing differently.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
_FLAG_LINES = ("flags", "features")


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


def format_of(precision: Precision, device: torch.device) -> torch.dtype:
    """``auto`` takes bfloat16 where the processor multiplies it itself; elsewhere it is slower."""
    if precision is Precision.AUTO:
        return torch.bfloat16 if _multiplies_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(_BFLOAT16_FLAGS & _flags())


def _flags() -> set[str]:
    """What Linux says of the processor; torch has no public question for this."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.lower().startswith(_FLAG_LINES)), "").split())
