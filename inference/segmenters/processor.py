"""What the processor can multiply; without torch, so that it is quick to ask."""

import os
from pathlib import Path

from inference.segmenters.choice import Precision

CPU_INFO = Path("/proc/cpuinfo")
# x86 and Arm name the same thing differently.
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_FLAG_LINES = ("flags", "features")
# Variables that keep the library below torch from units of the processor, and their values that do.
_BOUNDS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_WITHOUT_BFLOAT16 = frozenset(
    {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
)


def read_processor_flags() -> frozenset[str]:
    """What Linux says of the first processor; empty where it says nothing."""
    try:
        lines = CPU_INFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.lower().startswith(_FLAG_LINES)), "")
    return frozenset(flags.partition(":")[2].split())


def has_bfloat16_units() -> bool:
    """Whether the processor multiplies bfloat16 itself, and may; elsewhere float32 is quicker."""
    bounds = {os.environ.get(name, "").upper() for name in _BOUNDS}
    return bool(_BFLOAT16_FLAGS & read_processor_flags()) and not bounds & _WITHOUT_BFLOAT16


def resolve_precision(precision: Precision) -> Precision:
    """What ``auto`` means on this processor; anything else as it is."""
    if precision is not Precision.AUTO:
        return precision
    return Precision.BFLOAT16 if has_bfloat16_units() else Precision.FLOAT32
