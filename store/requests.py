"""Request records: append them, read them back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import exists, func, insert, select
from sqlalchemy.orm import Session

from detectors.findings import Finding
from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from store.records import RequestRecord, Stage
from store.tables import DecisionRow, EvidenceRow, FindingRow, RequestRow, ScoreRow, features_table


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """Stored features of several requests.

    Attributes:
        request_pks: primary keys, one per row.
        names: feature names, one per column.
        rows: ``(n, features)`` float64; NaN where not measured.
    """

    request_pks: tuple[int, ...]
    names: tuple[str, ...]
    rows: npt.NDArray[np.float64]


def add_record(session: Session, record: RequestRecord) -> bool:
    """Append a record; ``False`` if its request id is stored already, so that replays are safe."""
    known = select(exists().where(RequestRow.request_id == record.request_id))
    if session.scalar(known):
        return False
    row = RequestRow(
        request_id=record.request_id,
        received_at=record.received_at,
        client=record.client,
        route=record.route,
        stage=record.stage.value,
        verdict=record.verdict.value,
        status=record.status,
        reasons=list(record.reasons),
        content_sha256=record.content_sha256,
        media_type=record.media_type,
        segmenter=record.segmenter,
        labels=list(record.labels),
    )
    session.add(row)
    session.flush()
    if record.features is not None:
        values = record.features.measured()
        session.execute(insert(features_table).values(request_pk=row.id, **values))
    session.add_all(_finding_row(row.id, finding) for finding in record.findings)
    session.add_all(
        EvidenceRow(request_pk=row.id, kind=e.kind, sha256=e.sha256, media_type=e.media_type)
        for e in record.evidence
    )
    return True


def _finding_row(request_pk: int, finding: Finding) -> FindingRow:
    return FindingRow(
        request_pk=request_pk,
        rule=finding.rule.code,
        severity=finding.rule.severity.value,
        evidence=dict(finding.evidence),
        atlas=finding.rule.atlas,
        owasp=finding.rule.owasp,
    )


def features_of(session: Session, request_pk: int) -> FeatureVector | None:
    """The stored features of one request, or ``None`` if it was refused before any was measured."""
    row = session.execute(
        select(features_table).where(features_table.c.request_pk == request_pk)
    ).one_or_none()
    if row is None:
        return None
    return FeatureVector(tuple(np.nan if value is None else value for value in row[1:]))


def unscored_features(
    session: Session, model_id: int, names: Sequence[str], most: int
) -> FeatureMatrix:
    """Features of parsed requests that ``model_id`` has not scored, oldest first."""
    scored = exists().where(ScoreRow.request_pk == RequestRow.id, ScoreRow.model_id == model_id)
    statement = (
        select(RequestRow.id, *(features_table.c[name] for name in names))
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .where(RequestRow.stage == Stage.PARSED.value, ~scored)
        .order_by(RequestRow.id)
        .limit(most)
    )
    return _matrix(session.execute(statement).all(), names)


def clean_features(
    session: Session, names: Sequence[str], since: datetime, most_per_client: int, most: int
) -> FeatureMatrix:
    """Features that a model may learn from, newest first.

    Only requests that passed, were never an outlier and whose client was never blocked; one client
    contributes at most ``most_per_client`` rows, so that nobody can buy the training set.
    """
    outlier = exists().where(ScoreRow.request_pk == RequestRow.id, ScoreRow.outlier)
    blocked = exists().where(
        DecisionRow.kind == "block",
        DecisionRow.scope == "client",
        DecisionRow.value == RequestRow.client,
        DecisionRow.revoked_at.is_(None),
    )
    statement = (
        select(RequestRow.id, RequestRow.client, *(features_table.c[name] for name in names))
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .where(
            RequestRow.stage == Stage.PARSED.value,
            RequestRow.verdict == Verdict.PASS.value,
            RequestRow.received_at >= since,
            ~outlier,
            ~blocked,
        )
        .order_by(RequestRow.id.desc())
    )
    taken: dict[str, int] = {}
    rows: list[Sequence[float | None]] = []
    for row in session.execute(statement).yield_per(1000):
        if taken.get(row.client, 0) < most_per_client and len(rows) < most:
            taken[row.client] = taken.get(row.client, 0) + 1
            rows.append((row[0], *row[2:]))
    return _matrix(rows, names)


def _matrix(rows: Iterable[Sequence[float | None]], names: Sequence[str]) -> FeatureMatrix:
    listed = [tuple(row) for row in rows]
    values = np.array([row[1:] for row in listed], dtype=np.float64).reshape(-1, len(names))
    return FeatureMatrix(tuple(int(row[0] or 0) for row in listed), tuple(names), values)


@dataclass(frozen=True)
class ClientActivity:
    """What one client did in a window, as the decision policy needs it.

    Attributes:
        refusals: requests that the gate refused; refusals at admission are left out, or a blocked
            client would stay blocked for knocking.
        request_ids: the outliers and refusals themselves, newest first.
    """

    client: str
    requests: int
    outliers: int
    flags: int
    refusals: int
    request_ids: tuple[str, ...]


def client_activity(session: Session, since: datetime) -> tuple[ClientActivity, ...]:
    """Activity per client since a time, admission refusals left out."""
    statement = (
        select(RequestRow, ScoreRow.outlier)
        .outerjoin(ScoreRow, (ScoreRow.request_pk == RequestRow.id) & ScoreRow.outlier)
        .where(RequestRow.received_at >= since, RequestRow.stage != Stage.ADMISSION.value)
        .order_by(RequestRow.id.desc())
    )
    by_client: dict[str, list[tuple[RequestRow, bool]]] = {}
    seen: set[int] = set()
    for row, outlier in session.execute(statement):
        if row.id not in seen:
            seen.add(row.id)
            by_client.setdefault(row.client, []).append((row, bool(outlier)))
    return tuple(_activity(client, entries) for client, entries in sorted(by_client.items()))


def _activity(client: str, entries: list[tuple[RequestRow, bool]]) -> ClientActivity:
    bad = [
        row.request_id for row, outlier in entries if outlier or row.verdict != Verdict.PASS.value
    ]
    return ClientActivity(
        client=client,
        requests=len(entries),
        outliers=sum(outlier for _, outlier in entries),
        flags=sum(row.verdict == Verdict.FLAG.value for row, _ in entries),
        refusals=sum(row.verdict == Verdict.REFUSE.value for row, _ in entries),
        request_ids=tuple(bad[:20]),
    )


@dataclass(frozen=True)
class InvalidShare:
    """Requests of a window that did not pass, admission refusals left out of both numbers."""

    invalid: int
    total: int

    @property
    def share(self) -> float:
        """Invalid over total; 0 without traffic."""
        return self.invalid / self.total if self.total else 0.0


def invalid_share(session: Session, since: datetime) -> InvalidShare:
    """How many requests since a time were refused by the gate or flagged by a rule."""
    counted = session.execute(
        select(RequestRow.verdict, func.count())
        .where(RequestRow.received_at >= since, RequestRow.stage != Stage.ADMISSION.value)
        .group_by(RequestRow.verdict)
    ).all()
    total = sum(count for _, count in counted)
    invalid = sum(count for verdict, count in counted if verdict != Verdict.PASS.value)
    return InvalidShare(invalid, total)
