"""What the processor can multiply; without torch, so that it is quick to ask."""

from pathlib import Path

from inference.segmenters.choice import Precision

CPU_INFO = Path("/proc/cpuinfo")
# x86 and Arm name the same thing differently.
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_FLAG_LINES = ("flags", "features")


def read_processor_flags() -> frozenset[str]:
    """What Linux says of the first processor; empty where it says nothing."""
    try:
        lines = CPU_INFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.lower().startswith(_FLAG_LINES)), "")
    return frozenset(flags.partition(":")[2].split())


def has_bfloat16_units() -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere float32 is quicker."""
    return bool(_BFLOAT16_FLAGS & read_processor_flags())


def resolve_precision(precision: Precision) -> Precision:
    """What ``auto`` means on this processor; anything else as it is."""
    if precision is not Precision.AUTO:
        return precision
    return Precision.BFLOAT16 if has_bfloat16_units() else Precision.FLOAT32
