"""What an upload holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.findings import Finding
from detectors.parsing import Parsing
from inference.gate.screen import Screened


@dataclass(frozen=True, eq=False)
class Content:
    """All that follows from the bytes of an upload alone, whoever sent it.

    Attributes:
        complete: whether everything was measured.
    """

    screened: Screened
    parsing: Parsing
    features: Mapping[str, float]
    findings: tuple[Finding, ...]
    complete: bool = True

    @property
    def size_bytes(self) -> int:
        """Memory of its arrays."""
        arrays = (self.screened.image, self.parsing.probabilities, self.parsing.label_map)
        return sum(int(array.nbytes) for array in arrays)
