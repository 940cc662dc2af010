"""The access list: all that admission asks the database about senders, read at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from store.decisions.decisions import is_active, subject_of
from store.decisions.network_ends import NetworkEnds
from store.decisions.pictures.listed_patches import PATCHES, ListedPatch
from store.decisions.pictures.listed_perturbations import PERTURBATIONS, ListedPerturbation
from store.decisions.scopes import Kind, Scope
from store.decisions.similar_pictures import SimilarPicture, SimilarPictures
from store.engine.change_marks import Mark, read_marks
from store.people.api_keys import CLIENT_PREFIX, key_digest
from store.people.key_scopes import KeyScope
from store.tables.work_tables import ApiKeyRow, DecisionRow

Subject = tuple[Kind, Scope, str]
Indexes = tuple[Mapping[Kind, NetworkEnds], Mapping[Kind, SimilarPictures]]
# What a refresh reads one by one; beyond it the whole list is read anew.
_MAX_CHANGES = 500
# What has ended is dropped this often: until then it costs memory, and nothing else.
_MAX_AGE = timedelta(hours=1)


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
        networks: the ends of those about networks, by kind.
        pictures: those about pictures that look like one, by kind.
        read_at: when all of it was last read.
    """

    marks: Mapping[str, int]
    ends: Mapping[Subject, datetime]
    keys: Mapping[str, ActiveKey]
    patches: tuple[ListedPatch, ...] = ()
    perturbations: tuple[ListedPerturbation, ...] = ()
    networks: Mapping[Kind, NetworkEnds] = field(default_factory=dict)
    pictures: Mapping[Kind, SimilarPictures] = field(default_factory=dict)
    read_at: datetime | None = None

    def is_blocked(
        self, now: datetime, clients: Iterable[str], content_sha256: str | None = None
    ) -> bool:
        """Whether a block holds for a name of the sender or the exact picture; an allow wins.

        An allow of any of them wins over a block of any other: it is what a person decided.
        """
        names = tuple(clients)
        return self._any(now, Kind.BLOCK, names, content_sha256) and not self._any(
            now, Kind.ALLOW, names, content_sha256
        )

    def is_allowed(
        self,
        now: datetime,
        clients: Iterable[str],
        content_sha256: str,
        picture_hash: bytes | None = None,
    ) -> bool:
        """Whether a person decided to let a name of the sender or the picture through."""
        allows = self.pictures.get(Kind.ALLOW)
        is_similar = picture_hash is not None and allows and allows.find(picture_hash, now)
        return bool(is_similar) or self._any(now, Kind.ALLOW, tuple(clients), content_sha256)

    def find_similar(self, now: datetime, picture_hash: bytes) -> SimilarPicture | None:
        """The blocked picture that one looks most like, ``None`` if it looks like none."""
        blocks = self.pictures.get(Kind.BLOCK)
        return blocks.find(picture_hash, now) if blocks is not None else None

    @property
    def has_pictures(self) -> bool:
        """Whether any picture is blocked with those that look like it."""
        return Kind.BLOCK in self.pictures

    def find_key(self, secret: str) -> ActiveKey | None:
        """The active key that this is, or ``None``.

        Nothing leaks by the time this takes: what is looked up is a hash of the guess. How much of
        it agrees with a stored one says nothing about how much of the guess does.
        """
        return self.keys.get(key_digest(secret))

    def _any(
        self, now: datetime, kind: Kind, names: tuple[str, ...], content_sha256: str | None
    ) -> bool:
        if content_sha256 is not None and self._holds(now, kind, Scope.CONTENT, content_sha256):
            return True
        networks = self.networks.get(kind)
        return any(
            self._holds(now, kind, *subject_of(name))
            or (networks is not None and networks.holds(name, now))
            for name in names
        )

    def _holds(self, now: datetime, kind: Kind, scope: Scope, value: str) -> bool:
        end = self.ends.get((kind, scope, value))
        return end is not None and end > now


def read_access_list(
    session: Session, now: datetime, before: AccessList | None = None
) -> AccessList:
    """The list as it is stored; what ended before ``now`` is left out.

    Args:
        before: the list as it was read before: only what changed since is read then.
    """
    marks = read_marks(session)
    changes = None if before is None else _changed_subjects(session, before, marks, now)
    listed = (PATCHES.read_blocked(session, now), PERTURBATIONS.read_blocked(session, now))
    ends: Mapping[Subject, datetime]
    read_at: datetime | None
    if before is None or changes is None:
        ends = _read_ends(session, now)
        indexes, read_at = _index(ends), now
    elif not changes:
        ends, read_at = before.ends, before.read_at
        indexes = (before.networks, before.pictures)
    else:
        ends, read_at = _with_changes(session, before.ends, changes, now), before.read_at
        indexes = _index_changes(before, ends, changes)
    return AccessList(marks, ends, _keys(session), *listed, *indexes, read_at=read_at)


def _changed_subjects(
    session: Session, before: AccessList, marks: Mapping[str, int], now: datetime
) -> set[Subject] | None:
    """What decisions came or went since a list was read; ``None`` if it is better read anew.

    A mark that went back is that of a restored database; one that moved without a decision was
    moved by hand.
    """
    then, version = before.marks[Mark.DECISIONS], marks[Mark.DECISIONS]
    if version == then:
        return set()
    if version < then or before.read_at is None or now - before.read_at > _MAX_AGE:
        return None
    rows = session.execute(
        select(DecisionRow.kind, DecisionRow.scope, DecisionRow.value)
        .where(DecisionRow.version > then)
        .limit(_MAX_CHANGES + 1)
    ).all()
    return {_subject(*row) for row in rows} if 0 < len(rows) <= _MAX_CHANGES else None


def _with_changes(
    session: Session, ends: Mapping[Subject, datetime], changes: set[Subject], now: datetime
) -> dict[Subject, datetime]:
    scopes, values = ({subject[place] for subject in changes} for place in (1, 2))
    condition = and_(DecisionRow.scope.in_(scopes), DecisionRow.value.in_(values))
    updated = dict(ends)
    for subject in changes:
        updated.pop(subject, None)
    updated.update(_read_ends(session, now, condition))
    return updated


def _index(ends: Mapping[Subject, datetime]) -> Indexes:
    """What is looked up by more than its name."""
    return _index_networks(ends), _index_pictures(ends)


def _index_changes(
    before: AccessList, ends: Mapping[Subject, datetime], changes: set[Subject]
) -> Indexes:
    scopes = {scope for _, scope, _ in changes}
    return (
        _replace_networks(before.networks, ends, changes),
        _index_pictures(ends) if Scope.SIMILAR in scopes else before.pictures,
    )


def _replace_networks(
    networks: Mapping[Kind, NetworkEnds],
    ends: Mapping[Subject, datetime],
    changes: set[Subject],
) -> Mapping[Kind, NetworkEnds]:
    """The networks that changed alone: to sort all of them anew takes longer than to look."""
    moved = [subject for subject in changes if subject[1] is Scope.NETWORK]
    return {
        **networks,
        **{
            kind: networks.get(kind, NetworkEnds.of(())).replace(
                (value, ends.get((kind, scope, value))) for of, scope, value in moved if of is kind
            )
            for kind in {subject[0] for subject in moved}
        },
    }


def _index_networks(ends: Mapping[Subject, datetime]) -> Mapping[Kind, NetworkEnds]:
    by_kind = _by_kind(ends, Scope.NETWORK)
    return {kind: NetworkEnds.of(values) for kind, values in by_kind.items()}


def _index_pictures(ends: Mapping[Subject, datetime]) -> Mapping[Kind, SimilarPictures]:
    return {
        kind: SimilarPictures.of((SimilarPicture.read(value), end) for value, end in values)
        for kind, values in _by_kind(ends, Scope.SIMILAR).items()
    }


def _by_kind(
    ends: Mapping[Subject, datetime], of: Scope
) -> Mapping[Kind, list[tuple[str, datetime]]]:
    values: dict[Kind, list[tuple[str, datetime]]] = {}
    for (kind, scope, value), end in ends.items():
        if scope is of:
            values.setdefault(kind, []).append((value, end))
    return values


def _read_ends(
    session: Session, now: datetime, condition: ColumnElement[bool] | None = None
) -> dict[Subject, datetime]:
    subject = (DecisionRow.kind, DecisionRow.scope, DecisionRow.value)
    rows = session.execute(
        select(*subject, func.max(DecisionRow.until))
        .where(
            and_(is_active(now), DecisionRow.simulated.is_(False)),
            # Patches and perturbations are looked for in pictures, and have lists of their own.
            DecisionRow.scope.not_in((Scope.PATCH, Scope.PERTURBATION)),
            true() if condition is None else condition,
        )
        .group_by(*subject)
    )
    return {_subject(kind, scope, value): until for kind, scope, value, until in rows}


def _subject(kind: str, scope: str, value: str) -> Subject:
    return Kind(kind), Scope(scope), value


def _keys(session: Session) -> dict[str, ActiveKey]:
    columns = (ApiKeyRow.key_sha256, ApiKeyRow.name, ApiKeyRow.scopes)
    rows = session.execute(select(*columns).where(ApiKeyRow.revoked_at.is_(None)))
    return {row.key_sha256: _read_key(row.name, row.scopes) for row in rows}


def _read_key(name: str, scopes: list[str] | None) -> ActiveKey:
    """A scope of a later version gives no rights here."""
    known = frozenset(scope for scope in KeyScope if scope in (scopes or ()))
    return ActiveKey(CLIENT_PREFIX + name, known)
