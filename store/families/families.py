"""Families as they are kept: they grow, merge into the oldest, and keep their numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from detectors.families.continuing import Extension
from detectors.families.members import Bond, Member
from store.engine.locks import take_turn
from store.requests.client_names import network_of
from store.requests.request_keys import key_of
from store.tables.family_tables import FamilyMemberRow, FamilyRow, FeedbackRow
from store.tables.request_tables import RequestRow

_TURN = "families"
_MAX_SHARED = 20
_LARGEST_KEY = 2**63 - 1


class FamiliesTaken(MaskwatchError):
    """Another process changes the families at the same time."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("Families were changed at the same time: the next run goes on from there.")


class NoFamily(MaskwatchError):
    """There is no family of that number."""

    def __init__(self, family: int) -> None:
        super().__init__(f"There is no family {family}.")


@dataclass(frozen=True)
class Looked:
    """What was looked at before.

    Attributes:
        keys: of all requests that were.
        family_of: the family of those that have one.
    """

    keys: frozenset[int]
    family_of: Mapping[int, int]


@dataclass(frozen=True)
class Change:
    """How many families a run formed, extended and merged into older ones."""

    formed: int = 0
    grown: int = 0
    merged: int = 0


def read_looked(session: Session, since: datetime) -> Looked:
    """What of the requests since a time was looked at before."""
    rows = session.execute(
        select(FamilyMemberRow.request_pk, FamilyMemberRow.family_id).where(
            FamilyMemberRow.request_pk >= key_of(since)
        )
    ).all()
    family_of = {row.request_pk: row.family_id for row in rows if row.family_id is not None}
    return Looked(frozenset(row.request_pk for row in rows), family_of)


def keep_families(
    session: Session,
    members: Sequence[Member],
    extensions: Iterable[Extension],
    looked: Looked,
    since: datetime,
    now: datetime,
) -> Change:
    """Write what a run made of the families, all or nothing.

    Args:
        looked: what the run began with, of the requests since a time.

    Raises:
        FamiliesTaken: another run wrote since.
    """
    take_turn(session, _TURN)
    if read_looked(session, since) != looked:
        raise FamiliesTaken
    new = [{"request_pk": m.key, "looked_at": now} for m in members if m.key not in looked.keys]
    if new:
        session.execute(insert(FamilyMemberRow), new)
    by_key = {member.key: member for member in members}
    changes = [
        _extend(session, each, by_key, now) for each in extensions if each.joined or each.merged
    ]
    return Change(
        sum(change.formed for change in changes),
        sum(change.grown for change in changes),
        sum(change.merged for change in changes),
    )


def find_common_family(session: Session, request_ids: Sequence[str]) -> int | None:
    """The family that at least half of some requests belong to, if there is one."""
    families = session.scalars(
        select(FamilyMemberRow.family_id)
        .join(RequestRow, RequestRow.id == FamilyMemberRow.request_pk)
        .where(RequestRow.request_id.in_(request_ids), FamilyMemberRow.family_id.is_not(None))
    ).all()
    leading = Counter(family for family in families if family is not None).most_common(1)
    return next((family for family, number in leading if 2 * number >= len(request_ids)), None)


def check_family(session: Session, family: int) -> None:
    """See whether there is a family of a number, merged or not.

    Raises:
        NoFamily: there is none.
    """
    if find_family_row(session, family) is None:
        raise NoFamily(family)


def find_family_row(session: Session, family: int) -> FamilyRow | None:
    """The family of a number, merged or not; also of one that no database column takes."""
    return session.get(FamilyRow, family) if abs(family) <= _LARGEST_KEY else None


def forget_members(session: Session, before_key: int, most: int) -> int:
    """Forget at most so many requests whose records are gone; the families stay."""
    return sum(_forget(session, of, before_key, most) for of in (FamilyMemberRow, FeedbackRow))


def _forget(
    session: Session, of: type[FamilyMemberRow | FeedbackRow], before_key: int, most: int
) -> int:
    old = select(of.request_pk).where(of.request_pk < before_key).order_by(of.request_pk)
    keys = session.scalars(old.limit(most)).all()
    if keys:
        session.execute(delete(of).where(of.request_pk.in_(keys)))
    return len(keys)


def _extend(
    session: Session, extension: Extension, members: Mapping[int, Member], now: datetime
) -> Change:
    joined = [members[key] for key in extension.joined]
    row = _form(session, joined, now) if extension.family is None else None
    row = row or session.get_one(FamilyRow, extension.family)
    for family in extension.merged:
        _merge(session, session.get_one(FamilyRow, family), row, now)
    _join(session, row, joined)
    row.shared = _sum_shared(row.shared, extension.bonds)
    row.clients = _count_clients(session, row.id)
    is_new = extension.family is None
    return Change(int(is_new), int(not is_new and bool(joined)), len(extension.merged))


def _form(session: Session, joined: Sequence[Member], now: datetime) -> FamilyRow:
    times = [member.received_at for member in joined]
    row = FamilyRow(
        formed_at=now,
        first_at=min(times),
        last_at=max(times),
        requests=0,
        clients=0,
        kinds={},
        shared=[],
    )
    session.add(row)
    session.flush()
    return row


def _merge(session: Session, younger: FamilyRow, row: FamilyRow, now: datetime) -> None:
    """The younger one stays as a row that says where it went."""
    younger.merged_into, younger.merged_at = row.id, now
    session.execute(
        update(FamilyMemberRow)
        .where(FamilyMemberRow.family_id == younger.id)
        .values(family_id=row.id)
    )
    row.requests += younger.requests
    row.kinds = dict(Counter(row.kinds) + Counter(younger.kinds))
    row.shared = _largest([*row.shared, *younger.shared])
    row.first_at = min(row.first_at, younger.first_at)
    row.last_at = max(row.last_at, younger.last_at)


def _join(session: Session, row: FamilyRow, joined: Sequence[Member]) -> None:
    if not joined:
        return
    session.execute(
        update(FamilyMemberRow)
        .where(FamilyMemberRow.request_pk.in_([member.key for member in joined]))
        .values(family_id=row.id)
    )
    row.requests += len(joined)
    row.kinds = dict(Counter(row.kinds) + Counter(member.kind.value for member in joined))
    row.first_at = min(row.first_at, *(member.received_at for member in joined))
    row.last_at = max(row.last_at, *(member.received_at for member in joined))


def _count_clients(session: Session, family: int) -> int:
    """Those whose requests are left, by the names that decisions know."""
    names = session.scalars(
        select(RequestRow.client)
        .distinct()
        .join(FamilyMemberRow, FamilyMemberRow.request_pk == RequestRow.id)
        .where(FamilyMemberRow.family_id == family)
    )
    return len({network_of(name) for name in names})


def _sum_shared(
    before: Sequence[Mapping[str, object]], bonds: Iterable[Bond]
) -> list[dict[str, object]]:
    """What is shared now, beside what was; bonds of one value are summed."""
    keys: dict[tuple[str, str], set[int]] = {}
    for bond in bonds:
        keys.setdefault((bond.tie.value, bond.value), set()).update(bond.keys)
    now = [{"tie": t, "value": v, "requests": len(each)} for (t, v), each in keys.items()]
    return _largest([*before, *now])


def _largest(things: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """Each tie and value once, with the larger number; the most common first."""
    largest: dict[tuple[object, object], int] = {}
    for thing in things:
        name = (thing["tie"], thing["value"])
        largest[name] = max(largest.get(name, 0), int(str(thing["requests"])))
    order = sorted(largest, key=lambda name: (-largest[name], str(name)))[:_MAX_SHARED]
    return [{"tie": tie, "value": value, "requests": largest[tie, value]} for tie, value in order]
