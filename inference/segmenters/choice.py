"""What a deployment chooses of a segmenter; without torch, so that settings are quick to read."""

from enum import StrEnum


class SegmenterName(StrEnum):
    """Which segmenter serves."""

    REFERENCE = "reference"
    M2FP = "m2fp"


class Precision(StrEnum):
    """Number format of a network."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
