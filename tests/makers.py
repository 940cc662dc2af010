"""Made-up things of the store: usual ones, with changes that are checked by their types."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack
from uuid import uuid4

import numpy as np
from pydantic import SecretStr

from detectors.findings import Finding
from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from store.alerts.alerts import Condition
from store.decisions.decisions import NewDecision
from store.decisions.scopes import Kind, Scope
from store.models.scores import NewScores
from store.requests.records import PictureFile, RequestRecord, Stage, Trace
from store.tables.request_tables import ScoreRow

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
# Looks are drawn with it: with one of its own a service could see a picture otherwise each time.
SECRET = SecretStr("the secret of the tests")


class RecordChanges(TypedDict, total=False):
    """The fields of a ``RequestRecord``."""

    request_id: str
    received_at: datetime
    client: str
    route: str
    stage: Stage
    verdict: Verdict
    status: int
    reasons: tuple[str, ...]
    content_sha256: str | None
    media_type: str | None
    segmenter: str | None
    labels: tuple[str, ...]
    features: FeatureVector | None
    findings: tuple[Finding, ...]
    evidence: tuple[PictureFile, ...]
    trace: Trace | None
    sample_family: str | None


def make_record(**changes: Unpack[RecordChanges]) -> RequestRecord:
    """A parsed request that passed."""
    usual = RequestRecord(
        request_id=str(uuid4()),
        received_at=NOW,
        client="ip:203.0.113.7",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.PASS,
        status=200,
    )
    return replace(usual, **changes)


class ConditionChanges(TypedDict, total=False):
    """The fields of a ``Condition``."""

    fingerprint: str
    rule: str
    severity: str
    active: bool
    value: float
    threshold: float
    summary: str
    atlas: str
    owasp: str
    evidence: Mapping[str, object]


def make_condition(**changes: Unpack[ConditionChanges]) -> Condition:
    """A share of invalid requests that is too high, with values that must be escaped."""
    usual = Condition(
        fingerprint="invalid_share",
        rule="invalid_share",
        severity="warning",
        active=True,
        value=0.125,
        threshold=0.05,
        summary="12.5 % of the last 200 requests in 24 hours were refused or flagged.",
        atlas="AML.T0043",
        owasp="ML01:2023",
        evidence={
            "requests": 200,
            "invalid": 25,
            "window_hours": 24,
            "reasons": [["truncated", 15], ["no_person_found", 10]],
            "clients": [["ip:203.0.113.7", 20], ["<b>ip&</b>", 5]],
            "request_ids": ["5b1f1bb4-0000-4000-8000-000000000001", "a b/<x>"],
        },
    )
    return replace(usual, **changes)


class DecisionChanges(TypedDict, total=False):
    """The fields of a ``NewDecision``."""

    kind: Kind
    scope: Scope
    value: str
    scenario: str
    origin: str
    reason: str
    created_by: str
    until: datetime
    simulated: bool
    evidence: Mapping[str, object]
    job: str
    family: str | None


def make_decision(**changes: Unpack[DecisionChanges]) -> NewDecision:
    """A block of one client for an hour, by a policy."""
    usual = NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.CLIENT,
        value="ip:203.0.113.7",
        scenario="repeated_outliers",
        origin="policy",
        reason="It attacks.",
        created_by="policy",
        until=NOW + timedelta(hours=1),
    )
    return replace(usual, **changes)


class ScoreChanges(TypedDict, total=False):
    """What a test may want to differ."""

    score: float
    p_value: float
    outlier: bool
    contributions: dict[str, float]


def make_score(
    request_pk: int, model_id: int, now: datetime, **changes: Unpack[ScoreChanges]
) -> ScoreRow:
    """A model's score of a request; an ordinary one unless told otherwise."""
    defaults: ScoreChanges = {
        "score": 0.5,
        "p_value": 0.5,
        "outlier": False,
        "contributions": {},
    }
    return ScoreRow(
        request_pk=request_pk, model_id=model_id, scored_at=now, **{**defaults, **changes}
    )


def make_new_scores(keys: Sequence[int], p_value: float = 0.5) -> NewScores:
    """What a scan adds for some requests; every second one was compared with its source alone."""
    count = len(keys)
    of_source = np.arange(count) % 2 == 1
    rows = np.where(of_source, 1_000, 2_000)
    values = np.linspace(0.4, 0.6, count)
    return NewScores(np.array(keys, np.int64), values, np.full(count, p_value), of_source, rows)
