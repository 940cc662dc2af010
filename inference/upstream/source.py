"""What a given parse came from, where the pipeline expects a segmenter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from detectors.parsing import Image


@dataclass(frozen=True)
class GivenSource:
    """A service whose parses are given to us, and which is not asked for others.

    Attributes:
        digest: of the form of its answers, its labels, and who it is or who reports them.
    """

    digest: str
    labels: tuple[str, ...] = ()
    name: str = "observed"

    def parse(self, image: Image) -> NoReturn:  # noqa: ARG002 - as segmenters have it
        """Nothing can be parsed."""
        raise RuntimeError("A service whose parses are given is not asked for one.")

    def probabilities(
        self,
        pictures: Sequence[Image],  # noqa: ARG002
        scale: float = 1.0,  # noqa: ARG002
    ) -> Sequence[Any]:
        """Nothing can be looked at."""
        raise RuntimeError("A service whose parses are given is not asked for looks.")
