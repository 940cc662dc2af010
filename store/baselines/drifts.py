"""Drift of each source: the windows it is found in, and what was found last."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detectors.baseline.networks import network_of_client
from detectors.drift.drift import Drift, DriftKind
from detectors.drift.windows import Window
from detectors.verdict import Verdict
from store.requests.record_store import client_was_blocked
from store.requests.records import Stage
from store.requests.request_keys import arrived_since, key_of
from store.tables.baseline_tables import DriftRow
from store.tables.request_tables import FingerprintRow, RequestRow, features_table


def list_recent_sources(session: Session, since: datetime) -> tuple[str, ...]:
    """The sources that parsed something since a time."""
    statement = (
        select(RequestRow.segmenter)
        .where(RequestRow.segmenter.is_not(None), arrived_since(since))
        .distinct()
    )
    return tuple(sorted(digest for digest in session.scalars(statement) if digest is not None))


def read_window(
    session: Session,
    source: str,
    names: Sequence[str],
    since: datetime,
    until: datetime,
    most: int,
) -> Window:
    """The newest requests of a source that passed between two times, blocked clients left out.

    Those that an outlier model found unusual are in it: traffic that drifts looks unusual at first.
    """
    columns = [features_table.c[name] for name in names]
    statement = (
        select(
            RequestRow.client, func.coalesce(FingerprintRow.family, RequestRow.request_id), *columns
        )
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .outerjoin(FingerprintRow, FingerprintRow.request_pk == RequestRow.id)
        .where(
            RequestRow.segmenter == source,
            RequestRow.stage == Stage.PARSED.value,
            RequestRow.verdict == Verdict.PASS.value,
            RequestRow.route != "cli",
            arrived_since(since),
            RequestRow.id < key_of(until),
            RequestRow.received_at < until,
            ~client_was_blocked(),
        )
        .order_by(RequestRow.id.desc())
        .limit(most)
    )
    rows = session.execute(statement).all()
    values = np.array([row[2:] for row in rows], dtype=np.float64).reshape(-1, len(names))
    return Window(
        values, tuple(network_of_client(row[0]) for row in rows), tuple(row[1] for row in rows)
    )


def keep_drift(
    session: Session, source: str, model_digest: str, now: Window, drift: Drift, at: datetime
) -> None:
    """Write what was found of a source."""
    row = session.get(DriftRow, source)
    if row is None:
        row = DriftRow(source=source, kind=drift.kind.value, since=at)
        session.add(row)
    if row.kind != drift.kind.value:
        row.kind, row.since = drift.kind.value, at
    row.model_digest, row.tested_at = model_digest, at
    row.requests, row.networks = len(now.rows), len(set(now.networks))
    row.shifts = [asdict(shift) for shift in drift.shifts]


def list_drifts(session: Session) -> tuple[DriftRow, ...]:
    """What was found last of every source."""
    return tuple(session.scalars(select(DriftRow).order_by(DriftRow.source)))


def list_pushed(session: Session, since: datetime) -> tuple[str, ...]:
    """The sources whose traffic was found pushed since a time."""
    statement = select(DriftRow.source).where(
        DriftRow.kind == DriftKind.PUSH.value, DriftRow.tested_at >= since
    )
    return tuple(session.scalars(statement.order_by(DriftRow.source)))


def settle_drifts(session: Session, before: datetime, at: datetime) -> None:
    """Say nothing any more of sources that were tested before a time: too little came since."""
    stale = DriftRow.tested_at < before, DriftRow.kind != DriftKind.NONE.value
    for row in session.scalars(select(DriftRow).where(*stale)):
        row.kind, row.since, row.shifts = DriftKind.NONE.value, at, []
