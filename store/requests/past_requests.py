"""Requests as they were recorded, in the order in which they were stored: for the back-test.

Chunk by chunk, columns only, each by a range of keys: the memory and the time of a chunk do not
depend on how much is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from detectors.findings import Severity
from detectors.verdict import Verdict
from store.requests.records import Stage
from store.requests.request_keys import time_of
from store.requests.unscored import number_client
from store.tables.request_tables import FindingRow, RequestRow, ScoreRow, features_table


@dataclass(frozen=True)
class PastFinding:
    """A rule that fired then, with the weight that it had."""

    severity: Severity
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class PastRequest:
    """A request as it was recorded.

    Attributes:
        content_sha256: of the upload, if one was read.
        codes: reasons of the verdict.
        findings: by code.
        features: those that were asked for; NaN where not measured.
        scored_at: when a scan scored it; ``None`` if none has.
    """

    key: int
    request_id: str
    received_at: datetime
    client: str
    stage: Stage
    verdict: Verdict
    codes: tuple[str, ...] = ()
    content_sha256: str | None = None
    segmenter: str | None = None
    findings: Mapping[str, PastFinding] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    is_outlier: bool = False
    scored_at: datetime | None = None

    @property
    def upload(self) -> str:
        """What tells different files apart."""
        return self.content_sha256 or self.request_id

    @property
    def stored_at(self) -> datetime:
        """When it was there to be read, at the earliest."""
        return time_of(self.key)


def past_requests(
    session: Session, after_key: int, before_key: int, names: Sequence[str], most: int
) -> list[PastRequest]:
    """The first requests between two keys, with some of their features."""
    columns = (
        *(RequestRow.id, RequestRow.request_id, RequestRow.received_at, RequestRow.client),
        *(RequestRow.stage, RequestRow.verdict, RequestRow.reasons, RequestRow.content_sha256),
        RequestRow.segmenter,
    )
    rows = session.execute(
        select(*columns)
        .where(RequestRow.id > after_key, RequestRow.id < before_key)
        .order_by(RequestRow.id)
        .limit(most)
    ).all()
    if not rows:
        return []
    first, last = rows[0][0], rows[-1][0]
    findings = _findings(session, first, last)
    scores = _scores(session, first, last)
    features = _features(session, first, last, names) if names else {}
    return [
        PastRequest(
            *row[:4],
            Stage(row[4]),
            Verdict(row[5]),
            tuple(row[6]),
            *row[7:],
            findings.get(row[0], {}),
            features.get(row[0], {}),
            *scores.get(row[0], (False, None)),
        )
        for row in rows
    ]


def find_oldest(session: Session) -> datetime | None:
    """When the oldest record was stored; ``None`` without any."""
    key = session.scalar(select(func.min(RequestRow.id)))
    return None if key is None else time_of(key)


def find_rows_before(session: Session, key: int, number: int) -> int:
    """A key beyond which so many parsed requests with features come before another, or all do."""
    before = (
        select(RequestRow.id)
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .where(RequestRow.id < key, RequestRow.stage == Stage.PARSED.value)
        .order_by(RequestRow.id.desc())
        .limit(number)
        .subquery()
    )
    first = session.scalar(select(func.min(before.c.id)))
    return key - 1 if first is None else first - 1


@dataclass(frozen=True, eq=False)
class PastRows:
    """Features of parsed requests.

    Attributes:
        keys: of the requests, ascending.
        sources: what parsed each one's picture.
        rows: ``(n, features)`` float64; NaN where not measured.
        scans: which scan scored each; ``None`` if none has.
        clients: a number for each, see :func:`store.requests.unscored.number_client`, ``(n,)``.
    """

    keys: tuple[int, ...]
    sources: tuple[str | None, ...]
    rows: npt.NDArray[np.float64]
    scans: tuple[int | None, ...]
    clients: npt.NDArray[np.int64]


def past_rows(
    session: Session, after_key: int, before_key: int, names: Sequence[str], most: int
) -> PastRows:
    """The features of the first parsed requests between two keys, as a scan reads them."""
    own = (RequestRow.id, RequestRow.segmenter, RequestRow.client)
    rows = session.execute(
        select(*own, *(features_table.c[name] for name in names))
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .where(
            RequestRow.id > after_key,
            RequestRow.id < before_key,
            RequestRow.stage == Stage.PARSED.value,
        )
        .order_by(RequestRow.id)
        .limit(most)
    ).all()
    keys = tuple(row[0] for row in rows)
    matrix = np.array([row[3:] for row in rows], dtype=np.float64).reshape(len(rows), len(names))
    scans = _scans(session, keys[0], keys[-1]) if keys else {}
    clients = np.array([number_client(row[2]) for row in rows], np.int64)
    return PastRows(
        keys, tuple(row[1] for row in rows), matrix, tuple(map(scans.get, keys)), clients
    )


def _findings(session: Session, first: int, last: int) -> dict[int, dict[str, PastFinding]]:
    columns = (FindingRow.request_pk, FindingRow.rule, FindingRow.severity, FindingRow.evidence)
    by_request: dict[int, dict[str, PastFinding]] = {}
    rows = session.execute(select(*columns).where(*_between(FindingRow.request_pk, first, last)))
    for key, code, severity, numbers in rows:
        by_request.setdefault(key, {})[code] = PastFinding(Severity(severity), numbers)
    return by_request


def _scores(session: Session, first: int, last: int) -> dict[int, tuple[bool, datetime]]:
    """Whether each is an outlier, and when it was scored; one that is outlier to any model is."""
    columns = (ScoreRow.request_pk, ScoreRow.outlier, ScoreRow.scored_at)
    rows = session.execute(
        select(*columns)
        .where(*_between(ScoreRow.request_pk, first, last))
        .order_by(ScoreRow.request_pk, ScoreRow.outlier)
    )
    return {key: (bool(outlier), scored_at) for key, outlier, scored_at in rows}


def _scans(session: Session, first: int, last: int) -> dict[int, int | None]:
    columns = (ScoreRow.request_pk, ScoreRow.scan_id)
    rows = session.execute(select(*columns).where(*_between(ScoreRow.request_pk, first, last)))
    return {row.request_pk: row.scan_id for row in rows}


def _features(
    session: Session, first: int, last: int, names: Sequence[str]
) -> dict[int, dict[str, float]]:
    columns = (features_table.c.request_pk, *(features_table.c[name] for name in names))
    between = _between(features_table.c.request_pk, first, last)
    rows = session.execute(select(*columns).where(*between))
    return {key: _name(names, values) for key, *values in rows}


def _name(names: Sequence[str], values: Sequence[Any]) -> dict[str, float]:
    numbers = (nan if value is None else float(value) for value in values)
    return dict(zip(names, numbers, strict=True))


def _between(key: Any, first: int, last: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return key >= first, key <= last
