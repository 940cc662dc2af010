"""What becomes of a request between its bytes and its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from detectors.findings import Finding
from detectors.parsing import Image, Parsing
from detectors.registry import FeatureVector
from detectors.verdict import Mode, Verdict, judge
from inference.checks.base import Case
from inference.gate.screen import Screened
from inference.refusals import ANSWER_UNREAD, FINDING_ENFORCED, Refusal
from inference.upload import Arrival, Upload
from store.requests.records import RequestRecord, Stage

# Why a reply has no parsing: it could not be read as its form says.
ANSWER_NOT_READ = ANSWER_UNREAD.code
# Why a request was not judged by its content: a check of it failed.
MEASUREMENT_FAILED = "measurement_failed"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a request: its record, and either a parsing of its picture or a refusal."""

    record: RequestRecord
    refusal: Refusal | None = None
    image: Image | None = None
    parsing: Parsing | None = None


@dataclass(frozen=True, eq=False)
class Accepted:
    """An upload that the gate accepts, with what it said of it.

    Attributes:
        findings: about what its client said of it, which is not so.
        costs: features of the group ``cost``.
    """

    arrival: Arrival
    upload: Upload
    screening: Screened
    findings: tuple[Finding, ...]
    costs: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Reply:
    """What somebody else's service answered to a picture.

    Attributes:
        status: HTTP status; that of the record.
        parsing: what it says, of the upright picture; ``None`` if it was not read.
        costs: features of the group ``cost``.
        reasons: codes that say why it was not read, or not measured.
        refusal: what the client gets instead, because nobody could read it.
        is_flagged: whether it was to be read before it went out.
    """

    status: int
    parsing: Parsing | None = None
    costs: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    refusal: Refusal | None = None
    is_flagged: bool = False


def build_refusal(arrival: Arrival, refusal: Refusal, upload: Upload | None = None) -> Outcome:
    """The outcome of a request that is refused, with its record."""
    record = RequestRecord(
        request_id=arrival.request_id,
        received_at=arrival.received_at,
        client=arrival.client,
        route=arrival.route,
        stage=refusal.stage,
        verdict=Verdict.REFUSE,
        status=refusal.status,
        reasons=(refusal.code,),
        content_sha256=upload.sha256 if upload else None,
    )
    return Outcome(record, refusal)


def build_flag(arrival: Arrival, status: int, code: str) -> Outcome:
    """The outcome of a request that passed without a look at it, flagged with why."""
    record = RequestRecord(
        request_id=arrival.request_id,
        received_at=arrival.received_at,
        client=arrival.client,
        route=arrival.route,
        stage=Stage.ADMISSION,
        verdict=Verdict.FLAG,
        status=status,
        reasons=(code,),
    )
    return Outcome(record)


def judge_case(case: Case, mode: Mode, total_ms: float, reply: Reply) -> Outcome:
    """The outcome of an upload that was parsed and checked, by what the checks say of it."""
    judgement = judge(case.findings, mode)
    refusal = FINDING_ENFORCED if judgement.verdict is Verdict.REFUSE else None
    fault_reasons = () if case.is_measured else (MEASUREMENT_FAILED,)
    record = RequestRecord(
        request_id=case.arrival.request_id,
        received_at=case.arrival.received_at,
        client=case.arrival.client,
        route=case.arrival.route,
        stage=Stage.PARSED,
        verdict=judgement.verdict,
        status=refusal.status if refusal else reply.status,
        reasons=(*judgement.reasons, *fault_reasons, *reply.reasons),
        content_sha256=case.upload.sha256,
        media_type=case.screening.media_type.value,
        segmenter=case.segmenter.digest,
        labels=case.parsing.present_labels(),
        features=FeatureVector.of({**case.features, "total_ms": total_ms}),
        findings=case.findings,
        trace=case.trace,
    )
    return Outcome(record, refusal, case.image, case.parsing)


def judge_gate(accepted: Accepted, reply: Reply) -> Outcome:
    """The outcome of an upload whose parse nobody read, by what the gate alone says of it."""
    arrival, screening = accepted.arrival, accepted.screening
    findings = (*accepted.findings, *screening.findings)
    # By what the gate finds alone nobody is refused: rules that are to refuse have done so.
    judgement = judge(findings, Mode.MONITOR)
    record = RequestRecord(
        request_id=arrival.request_id,
        received_at=arrival.received_at,
        client=arrival.client,
        route=arrival.route,
        stage=Stage.GATE,
        verdict=_weigh(judgement.verdict, reply),
        status=reply.refusal.status if reply.refusal else reply.status,
        reasons=(*judgement.reasons, *reply.reasons),
        content_sha256=accepted.upload.sha256,
        media_type=screening.media_type.value,
        features=FeatureVector.of({**accepted.costs, **reply.costs, **screening.features}),
        findings=findings,
    )
    return Outcome(record, reply.refusal)


def _weigh(verdict: Verdict, reply: Reply) -> Verdict:
    if reply.refusal is not None:
        return Verdict.REFUSE
    return Verdict.FLAG if reply.is_flagged else verdict
