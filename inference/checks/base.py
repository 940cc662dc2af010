"""One shape for one step: a check looks at a case and returns features and findings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import pairwise
from typing import Protocol, Self

from detectors.baseline.phases import SourceState
from detectors.errors import MaskwatchError
from detectors.findings import Finding, Place
from detectors.parsing import Image, Parsing
from inference.gate.screen import Screened
from inference.segmenters.base import Segmenter
from inference.upload import Arrival, Upload
from store.requests.records import Trace

Places = Mapping[str, Callable[[], Place]]


class BadCheckList(MaskwatchError):
    """A list of checks that cannot be run in its order, or whose names are not unique."""


class Needs(IntEnum):
    """What a check looks at; checks run in this order.

    ``CONTENT`` follows from the bytes alone, so that its result is remembered with the parse.
    ``REQUEST`` takes in who sent it, when, or a fresh draw. ``FINDINGS`` takes in what the checks
    before it said.
    """

    CONTENT = 1
    REQUEST = 2
    FINDINGS = 3


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What a check says of a case.

    Attributes:
        features: by name in the registry; of two checks that give one feature the later one counts.
        trace: what is remembered of the picture.
        places: where on the picture a feature shows, by its name; worked out when it is called.
        has_failed: whether something is missing; it is counted as a fault of the check.
    """

    features: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    trace: Trace | None = None
    places: Places = field(default_factory=dict)
    has_failed: bool = False

    def weigh(self, state: SourceState) -> Self:
        """The same with findings that are no evidence for a source made odd."""
        return replace(self, findings=state.weigh(self.findings))


@dataclass(frozen=True, eq=False)
class Case:
    """A request and its content, and what the checks before said of it.

    Attributes:
        segmenter: the one that parsed the upload.
        forward_ms: time of the parse in milliseconds; ``None`` if it was remembered.
        is_measured: whether every check of the content gave its result.
    """

    arrival: Arrival
    upload: Upload
    segmenter: Segmenter
    screening: Screened
    parsing: Parsing
    forward_ms: float | None = None
    features: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    trace: Trace | None = None
    places: Places = field(default_factory=dict)
    is_measured: bool = True

    @property
    def image(self) -> Image:
        """The picture ``(H, W, 3)`` uint8."""
        return self.screening.image

    def plus(self, result: CheckResult) -> Self:
        """The same case after one more check."""
        return replace(
            self,
            features={**self.features, **result.features},
            findings=(*self.findings, *result.findings),
            trace=result.trace or self.trace,
            places={**self.places, **result.places},
        )

    def weigh(self, state: SourceState) -> Self:
        """The same with findings that are no evidence for its source made odd."""
        return replace(self, findings=state.weigh(self.findings))

    def alone(self) -> "Case":
        """The same case as if no check had run."""
        return Case(
            self.arrival,
            self.upload,
            self.segmenter,
            self.screening,
            self.parsing,
            self.forward_ms,
        )


class Check(Protocol):
    """One step of the request path. Implementations are safe to call from several threads.

    A check keeps the arrays of its case as they are, and raises what it likes: its caller counts,
    logs and goes on without it.
    """

    @property
    def name(self) -> str:
        """Names the check's faults in metrics and logs."""
        ...

    @property
    def needs(self) -> Needs:
        """What it looks at; only ``FINDINGS`` is given what the checks before it said."""
        ...

    def run(self, case: Case) -> CheckResult:
        """Look at a case."""
        ...


def ensure_order(checks: Sequence[Check]) -> None:
    """See that checks can run one after the other.

    Raises:
        BadCheckList: one stands behind a check that needs more than it does, or two share a name.
    """
    for before, after in pairwise(checks):
        if before.needs > after.needs:
            raise BadCheckList(
                f"The check {after.name} needs less than the check {before.name}: "
                "put it before that one."
            )
    names = [check.name for check in checks]
    for name in names:
        if names.count(name) > 1:
            raise BadCheckList(f"Two checks are named {name}: give one of them another name.")
