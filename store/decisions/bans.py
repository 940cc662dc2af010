"""Bans: the enforced blocks of addresses and networks, without what is allowed, for others to read.

Bouncers, web servers and firewalls know addresses alone, and no allow that wins over a block: so a
network of which a part is allowed is told in the parts that are left.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session

from store.configuration.network_groups import Network
from store.decisions.decisions import is_active
from store.decisions.networks import read_network, without
from store.decisions.scopes import Kind, Scope
from store.requests.client_names import ADDRESS_PREFIX, addresses_of
from store.tables.work_tables import DecisionRow

_SCOPES = (Scope.CLIENT.value, Scope.NETWORK.value)
# What ended by itself is dated by another machine's clock than ours.
_CLOCK_MARGIN = timedelta(seconds=60)
_COLUMNS = (
    DecisionRow.id,
    DecisionRow.kind,
    DecisionRow.value,
    DecisionRow.scenario,
    DecisionRow.origin,
    DecisionRow.until,
    DecisionRow.revoked_at,
)
_Row = Row[int, str, str, str, str, datetime, datetime | None]


@dataclass(frozen=True)
class Ban:
    """One address or network that is kept out.

    Attributes:
        decision_id: of the decision; several parts of a network have the same.
    """

    network: Network
    decision_id: int
    scenario: str
    origin: str
    until: datetime


Choose = Callable[[Ban], bool]


@dataclass(frozen=True)
class Delta:
    """What came and went. More may be named than changed: to set or lift a ban twice is no harm."""

    new: tuple[Ban, ...]
    deleted: tuple[Ban, ...]


def choose_all(_ban: Ban) -> bool:
    """Whoever asks for nothing particular is told all."""
    return True


def list_bans(session: Session, now: datetime, is_chosen: Choose = choose_all) -> list[Ban]:
    """Every ban that holds; of several on one network the longest.

    Args:
        is_chosen: whether a ban is asked for. One that is not hides no other.
    """
    rows = _read(session, is_active(now))
    return _longest(filter(is_chosen, _tell(rows, _networks_of(rows, Kind.ALLOW))))


def read_delta(
    session: Session,
    version: int,
    then: datetime,
    now: datetime,
    is_chosen: Choose = choose_all,
) -> Delta:
    """What changed since a version of the change mark, and what ended by itself since a time.

    Args:
        is_chosen: whether a ban is asked for. One that is not holds up no other's end.
    """
    has_ended = and_(DecisionRow.until > then - _CLOCK_MARGIN, DecisionRow.until <= now)
    changed = _read(session, or_(DecisionRow.version > version, has_ended))
    if not changed:
        return Delta((), ())
    holding = _read(session, is_active(now))
    allowed = _networks_of(holding, Kind.ALLOW)
    current = _longest(filter(is_chosen, _tell(holding, allowed)))
    moved = _networks_of(changed, Kind.ALLOW)
    touched = {row.id for row in changed} | {
        row.id for row in holding if _overlaps(_network_of(row.value), moved)
    }
    rows = {row.id: row for row in (*changed, *holding)}
    affected = [row for row in rows.values() if row.id in touched]
    # With and without the allows that changed: one of both is what was told before.
    before = [
        *_tell(affected, [each for each in allowed if each not in moved]),
        *_tell(affected, [*allowed, *moved]),
    ]
    told = {ban.network for ban in current}
    return Delta(
        tuple(ban for ban in current if ban.decision_id in touched),
        tuple(_longest(ban for ban in before if is_chosen(ban) and ban.network not in told)),
    )


def version_at(session: Session, then: datetime) -> int:
    """The newest version of the change mark that is surely of before a time."""
    before = then - _CLOCK_MARGIN
    newest = select(func.max(DecisionRow.version)).where(
        DecisionRow.created_at < before,
        or_(DecisionRow.revoked_at.is_(None), DecisionRow.revoked_at < before),
    )
    return session.scalar(newest) or 0


def _read(session: Session, condition: ColumnElement[bool]) -> list[_Row]:
    statement = select(*_COLUMNS).where(
        DecisionRow.scope.in_(_SCOPES), DecisionRow.simulated.is_(False), condition
    )
    return list(session.execute(statement))


def _tell(rows: Iterable[_Row], allowed: Iterable[Network]) -> list[Ban]:
    """Blocks in the parts that are not allowed."""
    all_allowed = list(allowed)
    bans = []
    for row in rows:
        network = _network_of(row.value)
        if row.kind != Kind.BLOCK.value or network is None:
            continue
        parts = [each for each in all_allowed if _overlaps(network, [each])]
        bans += [
            Ban(part, row.id, row.scenario, row.origin, row.revoked_at or row.until)
            for part in (without(network, parts) if parts else [network])
        ]
    return bans


def _longest(bans: Iterable[Ban]) -> list[Ban]:
    longest: dict[Network, Ban] = {}
    for ban in bans:
        known = longest.get(ban.network)
        if known is None or known.until < ban.until:
            longest[ban.network] = ban
    return list(longest.values())


def _networks_of(rows: Iterable[_Row], kind: Kind) -> list[Network]:
    networks = (_network_of(row.value) for row in rows if row.kind == kind.value)
    return [network for network in networks if network is not None]


def _network_of(value: str) -> Network | None:
    return addresses_of(value) if value.startswith(ADDRESS_PREFIX) else read_network(value)


def _overlaps(network: Network | None, others: Iterable[Network]) -> bool:
    return network is not None and any(
        network.version == other.version and network.overlaps(other) for other in others
    )


def describe_ban(ban: Ban, now: datetime) -> Mapping[str, object]:
    """A ban as CrowdSec's local API has it."""
    is_one = ban.network.prefixlen == ban.network.max_prefixlen
    return {
        "id": ban.decision_id,
        "origin": ban.origin,
        "type": "ban",
        "scope": "Ip" if is_one else "Range",
        "value": str(ban.network.network_address if is_one else ban.network),
        "duration": write_duration(ban.until - now),
        "scenario": ban.scenario,
        "simulated": False,
    }


def write_duration(span: timedelta) -> str:
    """A stretch of time as Go writes it.

    >>> write_duration(timedelta(hours=4, seconds=1.5)), write_duration(timedelta(seconds=-61))
    ('4h0m1.5s', '-1m1s')
    """
    seconds = abs(span.total_seconds())
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    text = f"{seconds % 60:.3f}".rstrip("0").rstrip(".") + "s"
    text = f"{minutes}m{text}" if hours or minutes else text
    return ("-" if span < timedelta(0) else "") + (f"{hours}h{text}" if hours else text)
