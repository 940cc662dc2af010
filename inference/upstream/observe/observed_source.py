"""What a given parse came from, where the pipeline expects a segmenter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from detectors.parsing import Image


@dataclass(frozen=True)
class ObservedSource:
    """A service that parsed something and cannot be asked again.

    Attributes:
        digest: of the form of its answers, its labels, and whoever reports them.
    """

    digest: str
    labels: tuple[str, ...] = ()
    name = "observed"

    def parse(self, image: Image) -> NoReturn:  # noqa: ARG002 - as segmenters have it
        """Nothing can be parsed."""
        raise RuntimeError("An observed service cannot be asked to parse.")

    def probabilities(
        self,
        pictures: Sequence[Image],  # noqa: ARG002
        scale: float = 1.0,  # noqa: ARG002
    ) -> Sequence[Any]:
        """Nothing can be looked at."""
        raise RuntimeError("An observed service cannot be asked for further looks.")
