"""The access list: all that admission asks the database about senders, read at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.decisions.decisions import Kind, Scope
from store.decisions.listed_patches import ListedPatch, listed_patches
from store.decisions.listed_perturbations import ListedPerturbation, listed_perturbations
from store.engine.change_marks import read_marks
from store.people.api_keys import CLIENT_PREFIX, KeyScope, key_digest
from store.tables.work_tables import ApiKeyRow, DecisionRow

Subject = tuple[Kind, Scope, str]


@dataclass(frozen=True)
class ActiveKey:
    """A key that is not revoked: the client that it names, ``key:NAME``, and what it is good for.

    Attributes:
        scopes: empty for a key that this version knows no use of.
    """

    client: str
    scopes: frozenset[KeyScope]


@dataclass(frozen=True)
class AccessList:
    """Enforced decisions and active keys, as they were at one version of the change marks.

    Attributes:
        marks: the versions it was read at.
        ends: when the last enforced decision of a kind on a value ends.
        keys: active keys by the SHA-256 of the key.
        patches: what no picture should show, newest first; simulated ones too.
        perturbations: the same for noises.
    """

    marks: Mapping[str, int]
    ends: Mapping[Subject, datetime]
    keys: Mapping[str, ActiveKey]
    patches: tuple[ListedPatch, ...] = ()
    perturbations: tuple[ListedPerturbation, ...] = ()

    def is_blocked(
        self, now: datetime, clients: Iterable[str], content_sha256: str | None = None
    ) -> bool:
        """Whether a block holds for a name of the sender or the exact picture; an allow wins.

        An allow of any of them wins over a block of any other: it is what a person decided.
        """
        subjects = _subjects(clients, content_sha256)
        return self._any(now, Kind.BLOCK, subjects) and not self._any(now, Kind.ALLOW, subjects)

    def is_allowed(self, now: datetime, clients: Iterable[str], content_sha256: str) -> bool:
        """Whether a person decided to let a name of the sender or the exact picture through."""
        return self._any(now, Kind.ALLOW, _subjects(clients, content_sha256))

    def find_key(self, secret: str) -> ActiveKey | None:
        """The active key that this is, or ``None``.

        Nothing leaks by the time this takes: what is looked up is a hash of the guess. How much of
        it agrees with a stored one says nothing about how much of the guess does.
        """
        return self.keys.get(key_digest(secret))

    def _any(self, now: datetime, kind: Kind, subjects: Iterable[tuple[Scope, str]]) -> bool:
        return any(self._holds(now, kind, *subject) for subject in subjects)

    def _holds(self, now: datetime, kind: Kind, scope: Scope, value: str) -> bool:
        end = self.ends.get((kind, scope, value))
        return end is not None and end > now


def read_access_list(session: Session, now: datetime) -> AccessList:
    """The list as it is stored; what ended before ``now`` is left out."""
    marks = read_marks(session)
    return AccessList(
        marks,
        _ends(session, now),
        _keys(session),
        listed_patches(session, now),
        listed_perturbations(session, now),
    )


def _subjects(clients: Iterable[str], content_sha256: str | None) -> tuple[tuple[Scope, str], ...]:
    content = () if content_sha256 is None else ((Scope.CONTENT, content_sha256),)
    return (*((Scope.CLIENT, client) for client in clients), *content)


def _ends(session: Session, now: datetime) -> dict[Subject, datetime]:
    subject = (DecisionRow.kind, DecisionRow.scope, DecisionRow.value)
    rows = session.execute(
        select(*subject, func.max(DecisionRow.until))
        .where(
            DecisionRow.until > now,
            DecisionRow.revoked_at.is_(None),
            DecisionRow.simulated.is_(False),
        )
        .group_by(*subject)
    )
    return {(Kind(kind), Scope(scope), value): until for kind, scope, value, until in rows}


def _keys(session: Session) -> dict[str, ActiveKey]:
    columns = (ApiKeyRow.key_sha256, ApiKeyRow.name, ApiKeyRow.scopes)
    rows = session.execute(select(*columns).where(ApiKeyRow.revoked_at.is_(None)))
    return {row.key_sha256: _read_key(row.name, row.scopes) for row in rows}


def _read_key(name: str, scopes: list[str] | None) -> ActiveKey:
    """A scope of a later version gives no rights here."""
    known = frozenset(scope for scope in KeyScope if scope in (scopes or ()))
    return ActiveKey(CLIENT_PREFIX + name, known)
