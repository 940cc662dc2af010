"""Reads what sources are learnt from: their samples, and what their rules fired on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from detectors.baseline.budgets import Request
from detectors.baseline.phases import CONTENT_CODES
from detectors.baseline.sample import SampleRow
from detectors.findings import Severity
from detectors.registry import FEATURES, Group
from detectors.rule_book import RULES
from detectors.verdict import Verdict
from store.requests.record_store import CONFIRMED, client_was_blocked, was_said
from store.requests.records import Stage
from store.requests.request_keys import arrived_since
from store.tables.request_tables import RequestRow, features_table

_LEFT_OUT = {Group.COST, Group.TRAFFIC}
_NAMES = (
    *(feature.name for feature in FEATURES if feature.group not in _LEFT_OUT),
    "ensemble_passes",
)
# Findings that say an attack by what no clean picture has, whatever the source is.
_ATTACK_CODES = frozenset(
    rule.code
    for rule in RULES
    if rule.severity is not Severity.ODD and rule.code not in CONTENT_CODES
)


def list_sampled_sources(session: Session) -> tuple[str, ...]:
    """The sources of which there are sampled requests."""
    statement = select(RequestRow.segmenter).where(_is_sampled()).distinct()
    return tuple(digest for digest in session.scalars(statement) if digest is not None)


def read_sample(session: Session, source: str, since: datetime, most: int) -> list[SampleRow]:
    """The sampled requests of a source, newest first, without what no clean client sends.

    Left out are refused requests, findings of the gate and of others' decisions, and clients that
    were ever blocked; of the same bytes the newest counts.
    """
    features = [features_table.c[name] for name in _NAMES]
    statement = (
        _select_accepted(
            source, since, RequestRow.sample_family, RequestRow.content_sha256, *features
        )
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .where(_is_sampled())
        .limit(most)
    )
    rows: dict[str, SampleRow] = {}
    for client, reasons, family, content, *values in session.execute(statement):
        if _ATTACK_CODES.isdisjoint(reasons):
            rows.setdefault(content or family, SampleRow(client, family, _collect_measured(values)))
    return list(rows.values())


def read_requests(
    session: Session, source: str, since: datetime, most: int, judged_since: datetime | None = None
) -> list[Request]:
    """What fired on the accepted requests of a source, newest first.

    Args:
        judged_since: from when on the baseline that flags gave scores; never if ``None``.
    """
    scores = (features_table.c.tamper_score, features_table.c.trigger_score)
    statement = (
        _select_accepted(source, since, RequestRow.received_at, *scores)
        .outerjoin(features_table, features_table.c.request_pk == RequestRow.id)
        .limit(most)
    )
    return [
        Request(client, frozenset(reasons), score if _is_later(at, judged_since) else None, trigger)
        for client, reasons, at, score, trigger in session.execute(statement)
        if _ATTACK_CODES.isdisjoint(reasons)
    ]


def _is_later(moment: datetime, since: datetime | None) -> bool:
    return since is not None and moment >= since


def _select_accepted(source: str, since: datetime, *columns: Any) -> Select[Any]:
    return (
        select(RequestRow.client, RequestRow.reasons, *columns)
        .where(
            RequestRow.segmenter == source,
            RequestRow.stage == Stage.PARSED.value,
            RequestRow.verdict != Verdict.REFUSE.value,
            RequestRow.route != "cli",
            arrived_since(since),
            ~client_was_blocked(),
            ~was_said(CONFIRMED),
        )
        .order_by(RequestRow.id.desc())
    )


def _is_sampled() -> ColumnElement[bool]:
    return RequestRow.sample_family.is_not(None)


def _collect_measured(values: Sequence[float | None]) -> dict[str, float]:
    return {name: value for name, value in zip(_NAMES, values, strict=True) if value is not None}
