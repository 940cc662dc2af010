"""How many clients there were in a day, what was accepted of them, and whom decisions hit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.configuration.network_groups import Network
from store.counts.client_counts import count_clients
from store.counts.period_counts import CLIENT, STAGE, counts, since_roll_up, total
from store.counts.periods import Period
from store.decisions.decisions import BY_POLICY
from store.decisions.networks import lies_within, read_network
from store.decisions.scopes import CLIENT_SCOPES, Kind, Scope
from store.requests.client_names import addresses_of, network_of
from store.tables.request_tables import RequestRow
from store.tables.roll_up_tables import ClientRow
from store.tables.work_tables import DecisionRow

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """The last 24 hours.

    Attributes:
        accepted: requests that were answered, flagged or not.
    """

    clients: int
    accepted: int


@dataclass(frozen=True)
class Hit:
    """Whom a decision hits: clients of the day, by name, with what was accepted of each."""

    accepted: Mapping[str, int]

    def __or__(self, other: "Hit") -> "Hit":
        return Hit({**self.accepted, **other.accepted})

    @property
    def clients(self) -> int:
        """How many clients there are."""
        return len(self.accepted)

    @property
    def requests(self) -> int:
        """What was accepted of all of them."""
        return sum(self.accepted.values())


def read_day(session: Session, now: datetime) -> Day:
    """Count the last 24 hours."""
    period = Period.until(now, DAY)
    groups = counts(session, period, STAGE)
    is_accepted = groups.c.verdict != Verdict.REFUSE.value
    accepted = session.scalar(select(total(groups)).where(is_accepted))
    return Day(count_clients(session, period), accepted or 0)


def hit_of(session: Session, now: datetime, values: Iterable[str]) -> Hit:
    """Whom blocks of some clients and networks hit among those of the last 24 hours.

    Args:
        values: names of clients, or networks as decisions write them.
    """
    all_values = set(values)
    networks = [each for value in all_values if (each := read_network(value)) is not None]
    clients = {value for value in all_values if read_network(value) is None}
    if networks:
        clients |= clients_within(session, now, networks)
    return Hit(_accepted_of(session, now, clients))


def clients_within(session: Session, now: datetime, networks: Iterable[Network]) -> set[str]:
    """Clients of the last 24 hours in some networks, by the names that decisions give them."""
    wanted = list(networks)
    return {
        client
        for client in active_clients(session, now)
        if (own := addresses_of(client)) is not None
        and any(lies_within(own, network) for network in wanted)
    }


def active_clients(session: Session, now: datetime, span: timedelta = DAY) -> set[str]:
    """All clients of the last 24 hours, or of another span, by the names that decisions know."""
    since = Period.until(now, span).since
    known = select(ClientRow.client).where(ClientRow.last_seen >= since)
    new = select(RequestRow.client).where(since_roll_up(session, since)).distinct()
    return {network_of(name) for each in (known, new) for name in session.scalars(each)}


def values_hit_by_policy(session: Session, now: datetime) -> set[str]:
    """Clients and networks that jobs blocked within 24 hours, or that their blocks hold for now.

    Those in a network that a person blocks are that person's doing.
    """
    values = session.scalars(
        select(DecisionRow.value).where(
            DecisionRow.kind == Kind.BLOCK.value,
            DecisionRow.scope.in_((*CLIENT_SCOPES, Scope.NETWORK)),
            DecisionRow.origin == BY_POLICY,
            DecisionRow.simulated.is_(False),
            DecisionRow.revoked_at.is_(None),
            or_(DecisionRow.until > now, DecisionRow.created_at > now - DAY),
        )
    ).all()
    by_hand = _networks_by_hand(session, now)
    return {value for value in values if not lies_within_any(value, by_hand)}


def _networks_by_hand(session: Session, now: datetime) -> list[Network]:
    values = session.scalars(
        select(DecisionRow.value).where(
            DecisionRow.kind == Kind.BLOCK.value,
            DecisionRow.scope == Scope.NETWORK,
            DecisionRow.origin != BY_POLICY,
            DecisionRow.simulated.is_(False),
            DecisionRow.revoked_at.is_(None),
            DecisionRow.until > now,
        )
    )
    return [each for value in values if (each := read_network(value)) is not None]


def lies_within_any(value: str, networks: Iterable[Network]) -> bool:
    """Whether a client or a network, as decisions write them, lies within one of some networks."""
    own = addresses_of(value) or read_network(value)
    return own is not None and any(lies_within(own, each) for each in networks)


def _accepted_of(session: Session, now: datetime, clients: set[str]) -> dict[str, int]:
    """What was accepted of each; exact names of IPv6 are summed by their /64."""
    accepted = dict.fromkeys(clients, 0)
    if not clients:
        return accepted
    groups = counts(session, Period.until(now, DAY), CLIENT)
    rows = session.execute(
        select(groups.c.name, total(groups))
        .where(
            groups.c.verdict != Verdict.REFUSE.value,
            or_(groups.c.name.in_(clients), groups.c.name.like("ip:%:%:%")),
        )
        .group_by(groups.c.name)
    )
    for name, requests in rows:
        if (client := network_of(name)) in accepted:
            accepted[client] += requests
    return accepted
