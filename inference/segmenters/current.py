"""The model that serves at present; another one can take its place while requests run."""

from collections.abc import Sequence
from typing import Any

from detectors.parsing import Image, Parsing
from inference.segmenters.base import Segmenter


class CurrentSegmenter:
    """Hands on to the present model; see :class:`inference.segmenters.base.Segmenter`.

    Whoever needs several answers of one and the same model, or its digest with them, asks
    :func:`present` once and keeps it.
    """

    def __init__(self, first: Segmenter) -> None:
        self._present = first

    @property
    def present(self) -> Segmenter:
        """The model as it is now; it is replaced, never changed."""
        return self._present

    def swap(self, segmenter: Segmenter) -> None:
        """Let another model serve from now on; requests that are under way keep theirs."""
        self._present = segmenter

    @property
    def name(self) -> str:
        """The present model's name."""
        return self._present.name

    @property
    def digest(self) -> str:
        """The present model's digest."""
        return self._present.digest

    @property
    def labels(self) -> tuple[str, ...]:
        """The present model's labels."""
        return self._present.labels

    def parse(self, image: Image) -> Parsing:
        """Parse a picture with the present model."""
        return self._present.parse(image)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        """Look at pictures with the present model."""
        return self._present.probabilities(pictures, scale)


def present(segmenter: Segmenter) -> Segmenter:
    """One model that stays the same, whatever takes its place."""
    return segmenter.present if isinstance(segmenter, CurrentSegmenter) else segmenter
