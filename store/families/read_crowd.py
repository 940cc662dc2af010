"""Counts all requests beside which unusual ones came: what everybody shares ties nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from detectors.baseline.networks import network_of_client
from detectors.families.members import Crowd, Member
from detectors.verdict import Verdict
from store.counts.period_counts import CLIENT, STAGE, counts, total
from store.counts.periods import Period, Resolution
from store.decisions.impact import active_clients
from store.requests.client_names import network_of

# How long roll-ups keep minutes at least.
_MINUTES = timedelta(days=1)
_MIN_CLIENTS = 3


def read_crowd(
    session: Session, members: Sequence[Member], now: datetime, span: timedelta
) -> Crowd:
    """All requests of the members' clients, networks and minutes, as far back as a span."""
    clients = {member.client for member in members}
    return Crowd(
        requests=_requests(session, clients, Period.until(now, span)),
        clients=_clients(session, members, now, span),
        minutes=_minutes(session, Period.until(now, _MINUTES)),
    )


def _requests(session: Session, clients: Iterable[str], period: Period) -> Counter[str]:
    """What passed of each client; exact names of IPv6 are summed by their /64."""
    groups = counts(session, period, CLIENT)
    has_passed = groups.c.verdict == Verdict.PASS.value
    is_one = or_(groups.c.name.in_(clients), groups.c.name.like("ip:%:%:%"))
    rows = session.execute(
        select(groups.c.name, total(groups)).where(has_passed, is_one).group_by(groups.c.name)
    )
    requests: Counter[str] = Counter()
    for name, number in rows:
        requests[network_of(name)] += number
    return requests


def _clients(
    session: Session, members: Sequence[Member], now: datetime, span: timedelta
) -> Counter[str]:
    """Clients of each network, where so many are unusual that it may tie them."""
    unusual = Counter(network for _, network in {(m.client, m.network) for m in members})
    wanted = {network for network, number in unusual.items() if number >= _MIN_CLIENTS}
    if not wanted:
        return Counter()
    networks = map(_network_of_name, active_clients(session, now, span))
    return Counter(network for network in networks if network in wanted)


def _network_of_name(client: str) -> str:
    """The network of a client as decisions name it: of IPv6 by its /64."""
    return network_of_client(client.removesuffix("/64"))


def _minutes(session: Session, period: Period) -> dict[int, int]:
    groups = counts(session, period, STAGE, Resolution.MINUTE)
    rows = session.execute(select(groups.c.slice, total(groups)).group_by(groups.c.slice))
    return {start // Resolution.MINUTE: number for start, number in rows}
