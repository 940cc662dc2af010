"""Erasure: everything that names one request or one client goes, for a data-protection request.

What people and policies decided stays, without the name. A decision that still holds keeps it: to
ask for erasure must not be a way out of a block.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from store.decisions.pictures.listed_patches import PIXELS
from store.decisions.pictures.listed_perturbations import SIGNATURE
from store.decisions.scopes import Scope
from store.keeping.retention import OF_A_REQUEST, delete_requests, key_column
from store.tables.family_tables import FamilyRow, FeedbackRow
from store.tables.request_tables import EvidenceRow, FingerprintRow, RequestRow
from store.tables.work_tables import AlertRow, DecisionRow, ProposalRow

ERASED = "erased"
"""What stands where a name stood."""
# What a decision on such a thing carries of the pictures that it was found in.
_MADE_OF = {Scope.PATCH: PIXELS, Scope.PERTURBATION: SIGNATURE}


@dataclass(frozen=True)
class Subject:
    """What an erasure is about: one request, or everything of one client."""

    request_id: str | None = None
    client: str | None = None

    def __str__(self) -> str:
        return f"request {self.request_id}" if self.client is None else f"client {self.client}"

    def requests(self) -> ColumnElement[bool]:
        """The requests it is about."""
        if self.client is None:
            return RequestRow.request_id == self.request_id
        return RequestRow.client == self.client


@dataclass(frozen=True)
class RequestToErase:
    """A request that is to be erased."""

    key: int
    request_id: str
    client: str


@dataclass(frozen=True)
class Erasure:
    """What went with some requests.

    Attributes:
        rows: by table.
        digests: of the files that their evidence referred to.
    """

    rows: Mapping[str, int]
    digests: tuple[str, ...]


def find(
    session: Session, subject: Subject, until_key: int, most: int
) -> tuple[RequestToErase, ...]:
    """The oldest requests of a subject, up to a key."""
    columns = select(RequestRow.id, RequestRow.request_id, RequestRow.client)
    statement = columns.where(subject.requests(), RequestRow.id <= until_key)
    rows = session.execute(statement.order_by(RequestRow.id).limit(most))
    return tuple(RequestToErase(row.id, row.request_id, row.client) for row in rows)


def count(session: Session, subject: Subject) -> dict[str, int]:
    """Rows by table that name a subject, of the tables that have any."""
    keys = select(RequestRow.id).where(subject.requests())
    rows = {
        name: session.scalar(select(func.count()).where(key_column(name).in_(keys))) or 0
        for name in OF_A_REQUEST
    }
    decisions = select(func.count()).where(DecisionRow.value == subject.client)
    rows["decisions"] = session.scalar(decisions) or 0
    return {name: number for name, number in rows.items() if number}


def erase_requests(session: Session, requests: Sequence[RequestToErase], now: datetime) -> Erasure:
    """Delete some requests, and what names them elsewhere."""
    if session.get_bind().dialect.name == "sqlite":
        # Zeros over what is deleted, or it could still be read in the file.
        session.execute(text("PRAGMA secure_delete=ON"))
    keys, names = [each.key for each in requests], {each.request_id for each in requests}
    files = select(EvidenceRow.sha256).where(EvidenceRow.request_pk.in_(keys))
    digests = tuple(session.scalars(files))
    rows = delete_requests(session, lambda key: key.in_(keys))
    _rename_families(session, names)
    clients = {each.client for each in requests}
    _rewrite(session.scalars(select(AlertRow)), lambda word: ERASED if word in names else word)
    decisions = session.scalars(select(DecisionRow).where(DecisionRow.value.in_(clients)))
    proposals = session.scalars(select(ProposalRow).where(ProposalRow.value.in_(clients)))
    _rewrite([*decisions, *proposals], lambda word: ERASED if word in names else word)
    _erase_from_patches(session, names, now)
    return Erasure(rows, digests)


def erase_name(session: Session, client: str, now: datetime) -> int:
    """Take a client's name out of decisions and alerts; how many still hold and keep it."""
    session.execute(delete(FingerprintRow).where(FingerprintRow.client == client))
    # Not a part of a longer name: an address may be the beginning of another.
    name = re.compile(rf"(?<![\w:.-]){re.escape(client)}(?![\w:-])(?!\.\w)")
    alerts = session.scalars(select(AlertRow)).all()
    decisions = session.scalars(select(DecisionRow).where(_names(DecisionRow, client))).all()
    proposals = session.scalars(select(ProposalRow).where(_names(ProposalRow, client))).all()
    _rewrite([*alerts, *decisions, *proposals], lambda word: name.sub(ERASED, word))
    number = 0
    for alert in alerts:
        if name.search(alert.fingerprint):
            number += alert.resolved_at is None
            if alert.resolved_at is not None:
                alert.fingerprint = name.sub(ERASED, alert.fingerprint)
    for decision in decisions:
        if decision.value == client:
            holds = _holds(decision, now)
            number += holds
            decision.value = client if holds else ERASED
    for proposal in proposals:
        if proposal.value == client:
            waits = proposal.answered_at is None and proposal.expires_at > now
            number += waits
            proposal.value = client if waits else ERASED
    _erase_from_families(session, client, lambda word: name.sub(ERASED, word))
    session.flush()
    return number


def _erase_from_families(session: Session, client: str, change: Callable[[str], str]) -> None:
    """A family says which client its requests share, and people may name it where they say why."""
    for family in session.scalars(select(FamilyRow)):
        family.shared = _change_words(family.shared, change)
        family.feedback_reason = family.feedback_reason and change(family.feedback_reason)
    named = FeedbackRow.reason.contains(client, autoescape=True)
    for row in session.scalars(select(FeedbackRow).where(named)):
        row.reason = change(row.reason)


def _names(table: type[DecisionRow | ProposalRow], client: str) -> ColumnElement[bool]:
    """Rows about a client, and those of networks and pictures whose evidence may name it."""
    of_several = (Scope.NETWORK.value, Scope.CONTENT.value)
    return or_(table.value == client, table.scope.in_(of_several))


def _erase_from_patches(session: Session, names: Set[str], now: datetime) -> None:
    """A listed patch or perturbation names requests, and comes out of the pictures of some."""
    scopes = [scope.value for scope in _MADE_OF]
    patches = select(DecisionRow).where(DecisionRow.scope.in_(scopes))
    for decision in session.scalars(patches):
        if not names.isdisjoint(decision.evidence.get("request_ids", ())):
            _rewrite([decision], lambda word: ERASED if word in names else word)
            if not _holds(decision, now):
                made_of = _MADE_OF[Scope(decision.scope)]
                decision.evidence = {**decision.evidence, made_of: ERASED}


def _holds(decision: DecisionRow, now: datetime) -> bool:
    return decision.revoked_at is None and decision.until > now


def _rename_families(session: Session, names: Iterable[str]) -> None:
    """A family of pictures is called after the first of them, which others may outlive."""
    families = session.scalars(
        select(FingerprintRow.family).where(FingerprintRow.family.in_(names)).distinct()
    )
    for family in families.all():
        session.execute(
            update(FingerprintRow)
            .where(FingerprintRow.family == family)
            .values(family=str(uuid4()))
        )


def _rewrite(
    rows: Iterable[AlertRow | DecisionRow | ProposalRow], change: Callable[[str], str]
) -> None:
    """Change every string in the evidence and in the sentences of rows."""
    for row in rows:
        row.evidence = _change_words(row.evidence, change)
        if isinstance(row, AlertRow):
            row.summary = change(row.summary)
        elif isinstance(row, ProposalRow):
            row.reason = change(row.reason)
            row.answer_reason = row.answer_reason and change(row.answer_reason)
        else:
            row.reason = change(row.reason)
            row.revoked_reason = row.revoked_reason and change(row.revoked_reason)


def _change_words(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_change_words(each, change) for each in value]
    if isinstance(value, dict):
        return {name: _change_words(each, change) for name, each in value.items()}
    return value
