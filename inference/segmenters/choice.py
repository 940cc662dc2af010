"""What a deployment chooses of a segmenter; without torch, so that settings are quick to read."""

from enum import StrEnum


class SegmenterName(StrEnum):
    """Which segmenter serves."""

    REFERENCE = "reference"
    M2FP = "m2fp"
    ONNX = "onnx"
    TRANSFORMERS = "transformers"

    @property
    def look_scale(self) -> float:
        """Linear size of an ensemble's looks that is worth its time.

        The small reference segmenter sees too little of a smaller picture; five looks of M2FP at
        this size cost less than one parse. Of other people's networks it is not known.
        """
        return 0.35 if self is SegmenterName.M2FP else 0.75

    @property
    def tile_scale(self) -> float:
        """Linear size of the looks of a search for a tile; too small, and a trigger is not seen."""
        return 0.25 if self is SegmenterName.M2FP else 0.75

    @property
    def max_trigger_score(self) -> float:
        """Where normal ends for ``trigger_score``.

        For the reference what 0.5 % of 160 clean calibration pictures reach
        (``python -m bench trigger-limit``). Nothing was measured with others: that is a guess, and
        a cautious one.
        """
        return 0.07 if self is SegmenterName.REFERENCE else 0.3


class Precision(StrEnum):
    """Number format of a network."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
