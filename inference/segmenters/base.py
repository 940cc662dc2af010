"""What the pipeline asks of a segmenter."""

from collections.abc import Sequence
from typing import Any, Protocol

from detectors.parsing import Image, Parsing


class Segmenter(Protocol):
    """Parses pictures of people. Implementations are safe to call from several threads."""

    @property
    def name(self) -> str:
        """A short name, e.g. ``reference``."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the weights file, in hex: which model measured a record."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names; index 0 is the background."""
        ...

    def parse(self, image: Image) -> Parsing:
        """Parse an RGB picture ``(H, W, 3)`` uint8 of any size from 1 × 1 up."""
        ...

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        """Class probabilities of several looks at a picture, in batches where that pays.

        How far looks differ is a feature, so what shares a batch with a look must not show in it.
        On every processor and in every precision, each probability is within 1e-4 of what the look
        gives alone; a precision in which batches do not keep this is not batched.

        Args:
            pictures: RGB ``(H, W, 3)`` uint8, all of one size.
            scale: size that the network sees, over the one that :meth:`parse` uses; 0 to 1.

        Returns:
            For each picture ``(C, h, w)`` float32, all of one size, as in
            :attr:`Parsing.probabilities`.
        """
        ...
