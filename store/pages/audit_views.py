"""Reads of the audit table: pages of it, all of it, and whether its chain holds."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from store.audit.anchors import Anchor, AnchorCheck
from store.audit.hash_chain import ChainCheck, Fault, Link, text_of_time
from store.engine.database import Database
from store.tables.audit_tables import AuditRow

_BATCH = 1_000
_COLUMNS = [getattr(AuditRow, each.name) for each in fields(Link)]


@dataclass(frozen=True)
class AuditFilter:
    """Which entries to show; an empty field does not restrict.

    Attributes:
        actor: the actor, or how it begins: ``analyst:`` for all analysts.
        action: an :class:`store.audit.audit_log.Action`.
    """

    since: datetime | None = None
    actor: str = ""
    action: str = ""


@dataclass(frozen=True)
class AuditView:
    """One entry for people.

    Attributes:
        at: ``None`` where somebody wrote something else than a time.
        details: empty where somebody wrote something else than JSON.
        fits: whether the row has its hash; whether it stands in its place only `verify` can say.
    """

    sequence: int
    at: datetime | None
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    own_hash: str
    fits: bool


@dataclass(frozen=True)
class AuditPage:
    """Entries, newest first, and whether there are more on either side."""

    entries: tuple[AuditView, ...]
    newer: bool
    older: bool


def audit_page(
    session: Session,
    criteria: AuditFilter,
    most: int,
    *,
    before: int | None = None,
    after: int | None = None,
) -> AuditPage:
    """The newest entries; those older than sequence ``before``, or just newer than ``after``."""
    newest_first = after is None
    conditions = list(_conditions(criteria))
    if before is not None:
        conditions.append(AuditRow.sequence < before)
    if after is not None:
        conditions.append(AuditRow.sequence > after)
    order = AuditRow.sequence.desc() if newest_first else AuditRow.sequence.asc()
    statement = select(*_COLUMNS).where(*conditions).order_by(order).limit(most + 1)
    views = tuple(_view(Link(*row)) for row in session.execute(statement))
    entries, beyond = views[:most], len(views) > most
    if newest_first:
        return AuditPage(entries, newer=before is not None, older=beyond)
    return AuditPage(entries[::-1], newer=beyond, older=True)


def audit_entries(database: Database, criteria: AuditFilter) -> Iterator[AuditView]:
    """Every entry, oldest first, in constant memory and many short transactions.

    Raises:
        StoreUnavailable: the database cannot be read.
    """
    yield from map(_view, _links(database, *_conditions(criteria)))


def verify(
    database: Database, check: ChainCheck, anchors: Iterable[Anchor] = ()
) -> Iterator[Fault]:
    """Everything that is wrong with the chain; afterwards ``check`` has its length and its head.

    Args:
        anchors: rows that must be there.

    Raises:
        StoreUnavailable: the database cannot be read.
    """
    anchored = AnchorCheck(anchors)
    for link in _links(database):
        yield from check.follow(link)
        yield from anchored.follow(link)
    yield from anchored.end()


def _links(database: Database, *conditions: ColumnElement[bool]) -> Iterator[Link]:
    statement = select(*_COLUMNS).where(*conditions).order_by(AuditRow.sequence).limit(_BATCH)
    start = statement
    while True:
        with database.read() as session:
            batch = [Link(*row) for row in session.execute(start)]
        yield from batch
        if len(batch) < _BATCH:
            return
        start = statement.where(AuditRow.sequence > batch[-1].sequence)


def _conditions(criteria: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if criteria.since is not None:
        yield AuditRow.at >= text_of_time(criteria.since)
    if criteria.actor:
        # PostgreSQL refuses the character that no stored name can have.
        yield AuditRow.actor.startswith(criteria.actor.replace("\0", ""), autoescape=True)
    if criteria.action:
        yield AuditRow.action == criteria.action


def _view(link: Link) -> AuditView:
    return AuditView(
        sequence=link.sequence,
        at=_time(link.at),
        actor=str(link.actor),
        action=str(link.action),
        subject=str(link.subject),
        details=_details(link.details),
        own_hash=str(link.own_hash),
        fits=link.fits(),
    )


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None


def _details(text: str) -> dict[str, Any]:
    try:
        details = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return details if isinstance(details, dict) else {}
