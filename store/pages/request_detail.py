"""Read model of the request page: everything known about one request, and what is normal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detectors.findings import Place
from detectors.registry import FEATURE_NAMES, FeatureVector
from detectors.verdict import Verdict
from store.baselines.source_names import find_name
from store.pages.family_views import find_family, find_feedback
from store.pages.traffic import RequestSummary, summary
from store.requests.fingerprints import hash_of_picture
from store.requests.record_store import features_of
from store.requests.records import Stage
from store.tables.request_tables import FindingRow, RequestRow, ScoreRow, features_table
from store.tables.work_tables import OutlierModelRow


@dataclass(frozen=True)
class StoredFinding:
    """A rule that fired, as it was stored."""

    rule: str
    severity: str
    evidence: Mapping[str, float]
    atlas: str
    owasp: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class StoredScore:
    """What one outlier model said, newest first in a detail.

    Attributes:
        model_rows: that the model was trained on.
        q_value: ``None`` where no scan selected the request.
        calibrated_on: ``source`` or ``all``: what the score was compared with.
    """

    model_kind: str
    model_digest: str
    model_rows: int
    scored_at: datetime
    score: float
    p_value: float
    outlier: bool
    contributions: Mapping[str, float]
    q_value: float | None
    calibrated_on: str | None
    calibration_rows: int | None


@dataclass(frozen=True)
class RequestDetail:
    """One request; ``features`` is ``None`` where it ended before any was measured.

    Attributes:
        segmenter: digest of what parsed it.
        source_name: what the operator calls that, if it is known.
        picture_hash: its perceptual hash in hex, as long as its fingerprint is kept.
        family: the number of the family that it belongs to.
        feedback: what a person said of it last, in a sentence.
    """

    summary: RequestSummary
    content_sha256: str | None
    media_type: str | None
    segmenter: str | None
    source_name: str | None
    labels: tuple[str, ...]
    features: FeatureVector | None
    findings: tuple[StoredFinding, ...]
    scores: tuple[StoredScore, ...]
    picture_hash: str | None = None
    family: int | None = None
    feedback: str | None = None


def request_detail(session: Session, request_id: str) -> RequestDetail | None:
    """Everything about one request; ``None`` if there is none with that id."""
    row = session.scalars(
        select(RequestRow).where(RequestRow.request_id == request_id)
    ).one_or_none()
    if row is None:
        return None
    scores = _scores(session, row.id)
    return RequestDetail(
        summary=summary(row, any(score.outlier for score in scores)),
        content_sha256=row.content_sha256,
        media_type=row.media_type,
        segmenter=row.segmenter,
        source_name=find_name(session, row.segmenter),
        labels=tuple(row.labels),
        features=features_of(session, row.id),
        findings=_findings(session, row.id),
        scores=scores,
        picture_hash=hash_of_picture(session, row.id),
        family=find_family(session, row.id),
        feedback=find_feedback(session, row.id),
    )


def oldest_arrival(session: Session) -> datetime | None:
    """When the oldest request that has a record arrived."""
    first = select(func.min(RequestRow.id)).scalar_subquery()
    return session.scalars(select(RequestRow.received_at).where(RequestRow.id == first)).first()


def _findings(session: Session, request_pk: int) -> tuple[StoredFinding, ...]:
    rows = session.scalars(
        select(FindingRow).where(FindingRow.request_pk == request_pk).order_by(FindingRow.id)
    )
    return tuple(_finding(row) for row in rows)


def _finding(row: FindingRow) -> StoredFinding:
    places = tuple(Place(**place) for place in row.places or ())
    return StoredFinding(row.rule, row.severity, row.evidence, row.atlas, row.owasp, places)


def _scores(session: Session, request_pk: int) -> tuple[StoredScore, ...]:
    rows = session.execute(
        select(ScoreRow, OutlierModelRow)
        .join(OutlierModelRow, OutlierModelRow.id == ScoreRow.model_id)
        .where(ScoreRow.request_pk == request_pk)
        .order_by(ScoreRow.scored_at.desc(), ScoreRow.id.desc())
    )
    return tuple(
        StoredScore(
            model.kind,
            model.digest,
            model.rows,
            row.scored_at,
            row.score,
            row.p_value,
            row.outlier,
            dict(row.contributions),
            row.q_value,
            row.calibrated_on,
            row.calibration_rows,
        )
        for row, model in rows
    )


@dataclass(frozen=True)
class NormalRange:
    """Where half of the recent passed requests lie.

    Attributes:
        low, middle, high: quartiles.
        rows: requests on which the feature was measured.
    """

    low: float
    middle: float
    high: float
    rows: int


def normal_ranges(session: Session, most: int = 1000) -> dict[str, NormalRange]:
    """Quartiles per feature over the latest passed requests; unmeasured features are left out."""
    keys = session.scalars(
        select(RequestRow.id)
        .where(RequestRow.verdict == Verdict.PASS.value)
        .order_by(RequestRow.id.desc())
        .limit(most)
    ).all()
    rows = [
        tuple(row)
        for row in session.execute(
            select(*(features_table.c[name] for name in FEATURE_NAMES))
            .join(RequestRow, RequestRow.id == features_table.c.request_pk)
            .where(
                # Both, so that PostgreSQL reads the days alone that have them.
                RequestRow.id >= min(keys, default=0),
                features_table.c.request_pk >= min(keys, default=0),
                RequestRow.verdict == Verdict.PASS.value,
                RequestRow.stage == Stage.PARSED.value,
            )
        )
    ]
    values = np.array(rows, dtype=np.float64).reshape(-1, len(FEATURE_NAMES))
    ranges: dict[str, NormalRange] = {}
    for name, column in zip(FEATURE_NAMES, values.T, strict=True):
        numbers = column[~np.isnan(column)]
        if numbers.size:
            low, middle, high = (float(v) for v in np.percentile(numbers, [25, 50, 75]))
            ranges[name] = NormalRange(low, middle, high, int(numbers.size))
    return ranges
