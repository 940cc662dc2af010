"""What an upload holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from detectors.findings import Finding
from detectors.parsing import Parsing
from inference.checks.base import Case, CheckResult, Places
from inference.gate.screen import Screened
from inference.segmenters.base import Segmenter
from inference.upload import Arrival, Upload


@dataclass(frozen=True, eq=False)
class Content:
    """All that follows from the bytes of an upload alone, whoever sent it.

    Attributes:
        costs: features of the group ``cost``; empty if the content was remembered.
        is_measured: whether every check of the content gave its result.
    """

    screening: Screened
    parsing: Parsing
    features: Mapping[str, float]
    findings: tuple[Finding, ...]
    places: Places = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    is_measured: bool = True

    @classmethod
    def of(cls, case: Case, results: Sequence[CheckResult]) -> Self:
        """Put together what the checks of the content said of it.

        Where one of them failed, the others do not judge either: the parse may be nonsense.
        """
        screening, parsing = case.screening, case.parsing
        if any(result.has_failed for result in results):
            return cls(screening, parsing, {}, screening.findings, is_measured=False)
        for result in results:
            case = case.plus(result)
        findings = (*screening.findings, *case.findings)
        return cls(screening, parsing, case.features, findings, case.places)

    def case_of(
        self,
        arrival: Arrival,
        upload: Upload,
        segmenter: Segmenter,
        findings: tuple[Finding, ...],
    ) -> Case:
        """The case of a request that holds this.

        Args:
            findings: what its client said of it that is not so.
        """
        return Case(
            arrival=arrival,
            upload=upload,
            segmenter=segmenter,
            screening=self.screening,
            parsing=self.parsing,
            forward_ms=self.costs.get("forward_ms"),
            features={**self.costs, **self.features},
            findings=(*findings, *self.findings),
            places=self.places,
            is_measured=self.is_measured,
        )

    @property
    def size_bytes(self) -> int:
        """Memory of its arrays."""
        parsing = self.parsing
        arrays = (
            *(self.screening.image, parsing.probabilities, parsing.label_map),
            *(parsing.winners, parsing.entropies),
        )
        return sum(int(array.nbytes) for array in arrays)
