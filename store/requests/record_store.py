"""Request records: append them, read them back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    Text,
    and_,
    any_,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from store.engine.bulk.insert import insert_all
from store.requests.record_rows import rows_of
from store.requests.records import RequestRecord, Stage
from store.requests.request_keys import arrived_since, hand_out, key_of
from store.requests.row_bounds import NOTHING, Bounds, LeftOut
from store.tables.family_tables import FamilyMemberRow, FeedbackRow
from store.tables.request_tables import FingerprintRow, RequestRow, ScoreRow, features_table
from store.tables.work_tables import DecisionRow

CONFIRMED, DISMISSED = "confirmed", "dismissed"
"""What a person says of a request: it is an attack, or it is none."""


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """Stored features of several requests.

    Attributes:
        request_pks: primary keys, one per row.
        clients: who sent each row's request.
        names: feature names, one per column.
        rows: ``(n, features)`` float64; NaN where not measured.
        sources: what parsed each row's picture.
    """

    request_pks: tuple[int, ...]
    clients: tuple[str, ...]
    names: tuple[str, ...]
    rows: npt.NDArray[np.float64]
    sources: tuple[str | None, ...]

    def choose(self, chosen: npt.NDArray[np.bool_]) -> "FeatureMatrix":
        """The rows where ``(n,)`` is true."""
        return FeatureMatrix(
            tuple(compress(self.request_pks, chosen)),
            tuple(compress(self.clients, chosen)),
            self.names,
            self.rows[chosen],
            tuple(compress(self.sources, chosen)),
        )


def add_record(session: Session, record: RequestRecord) -> bool:
    """Append a record; ``False`` if its request id is stored already, so that replays are safe."""
    return add_records(session, [record]) == 1


def add_records(session: Session, records: Sequence[RequestRecord], *, fresh: bool = False) -> int:
    """Append records in order and say how many are new; request ids that are stored are skipped.

    The transaction must do little else: other services wait for it to hand out keys.

    Args:
        fresh: nobody tried to store them before, so that none is looked for.
    """
    records = _without_doubles(records)
    if not records:
        return 0
    # With the keys comes the turn to write: whoever else had these records has stored them by now.
    keys = hand_out(session, [record.received_at for record in records])
    old_ids = set() if fresh else _find_stored_ids(session, records)
    new = [
        (key, record)
        for key, record in zip(keys, records, strict=True)
        if record.request_id not in old_ids
    ]
    insert_all(session, rows_of(new, session.get_bind().dialect.name))
    return len(new)


def _without_doubles(records: Sequence[RequestRecord]) -> list[RequestRecord]:
    return list({record.request_id: record for record in reversed(records)}.values())[::-1]


def _find_stored_ids(session: Session, records: Sequence[RequestRecord]) -> set[str]:
    """Request ids among these that are stored: a key is never smaller than its arrival."""
    earliest = min(record.received_at for record in records)
    ids = [record.request_id for record in records]
    among: ColumnElement[bool]
    if session.get_bind().dialect.name == "postgresql":
        # One parameter, written as the database reads it, instead of hundreds.
        array = "{" + json.dumps(ids, ensure_ascii=False)[1:-1] + "}"
        among = RequestRow.request_id == any_(sql_cast(literal(array, Text()), ARRAY(String)))
    else:
        among = RequestRow.request_id.in_(ids)
    return set(
        session.scalars(
            select(RequestRow.request_id).where(among, RequestRow.id >= key_of(earliest))
        )
    )


def features_of(session: Session, request_pk: int) -> FeatureVector | None:
    """The stored features of one request, or ``None`` if it was refused before any was measured."""
    row = session.execute(
        select(features_table).where(features_table.c.request_pk == request_pk)
    ).one_or_none()
    if row is None:
        return None
    return FeatureVector(tuple(np.nan if value is None else value for value in row[1:]))


def clean_features(
    session: Session,
    names: Sequence[str],
    since: datetime,
    bounds: Bounds,
    *,
    outliers: bool = False,
    left_out: LeftOut = NOTHING,
) -> FeatureMatrix:
    """Features that a model may learn from, newest first.

    Only requests that passed, were never an outlier and whose client was never blocked. What a
    person confirmed as an attack is left out, and what a person dismissed counts as if it had
    passed and was no outlier.

    Args:
        outliers: give the outliers among these requests instead of the rest.
        left_out: what does not count.
    """
    statement = (
        add_families(_select_features(names))
        .where(
            RequestRow.stage == Stage.PARSED.value,
            arrived_since(since),
            _is_unjudged_outlier() if outliers else is_vetted(),
            ~was_said(CONFIRMED),
            ~client_was_blocked(),
        )
        .order_by(RequestRow.id.desc())
    )
    with session.execute(statement.execution_options(yield_per=1000)) as result:
        return _matrix(bounds.choose(result, left_out), names)


def features_of_clients(
    session: Session, names: Sequence[str], clients: Sequence[str], since: datetime, most: int
) -> FeatureMatrix:
    """Features of whatever these clients sent that was parsed, newest first."""
    statement = (
        _select_features(names)
        .where(
            RequestRow.stage == Stage.PARSED.value,
            RequestRow.client.in_(clients),
            arrived_since(since),
        )
        .order_by(RequestRow.id.desc())
        .limit(most)
    )
    return _matrix([tuple(row) for row in session.execute(statement)], names)


def features_by_key(session: Session, names: Sequence[str], keys: Sequence[int]) -> FeatureMatrix:
    """Features of the requests with these keys that are stored, in any order."""
    statement = _select_features(names).where(RequestRow.id.in_(keys))
    return _matrix([tuple(row) for row in session.execute(statement)], names)


def _select_features(names: Sequence[str]) -> Select[Any]:
    columns = (features_table.c[name] for name in names)
    return select(RequestRow.id, RequestRow.client, RequestRow.segmenter, *columns).join(
        features_table, features_table.c.request_pk == RequestRow.id
    )


def add_families(statement: Select[Any]) -> Select[Any]:
    """What each request belongs to, behind its features.

    ``picture`` is that of its look as long as fingerprints are kept, else that of its bytes.
    """
    of_picture = (FingerprintRow.family, RequestRow.sample_family, RequestRow.content_sha256)
    return (
        statement.add_columns(
            FamilyMemberRow.family_id.label("family"), func.coalesce(*of_picture).label("picture")
        )
        .outerjoin(FamilyMemberRow, FamilyMemberRow.request_pk == RequestRow.id)
        .outerjoin(FingerprintRow, FingerprintRow.request_pk == RequestRow.id)
    )


def was_said(feedback: str) -> ColumnElement[bool]:
    """Whether a person confirmed or dismissed a request last."""
    return exists().where(FeedbackRow.request_pk == RequestRow.id, FeedbackRow.feedback == feedback)


def is_vetted() -> ColumnElement[bool]:
    """Whether nothing speaks against a parsed request: it passed and is no outlier, or a person
    dismissed it.
    """
    has_passed = RequestRow.verdict == Verdict.PASS.value
    return or_(and_(has_passed, ~_is_outlier()), was_said(DISMISSED))


def _is_unjudged_outlier() -> ColumnElement[bool]:
    has_passed = RequestRow.verdict == Verdict.PASS.value
    return and_(has_passed, _is_outlier(), ~was_said(DISMISSED))


def _is_outlier() -> ColumnElement[bool]:
    return exists().where(ScoreRow.request_pk == RequestRow.id, ScoreRow.outlier)


def client_was_blocked() -> ColumnElement[bool]:
    """Whether the client of a request was ever blocked, and nobody revoked it."""
    return exists().where(
        DecisionRow.kind == "block",
        DecisionRow.scope == "client",
        DecisionRow.value == RequestRow.client,
        DecisionRow.revoked_at.is_(None),
    )


def _matrix(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> FeatureMatrix:
    values = np.array([row[3 : 3 + len(names)] for row in rows], dtype=np.float64)
    pks, clients, sources = (tuple(row[i] for row in rows) for i in range(3))
    return FeatureMatrix(pks, clients, tuple(names), values.reshape(-1, len(names)), sources)
