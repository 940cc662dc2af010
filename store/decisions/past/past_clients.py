"""What the records say of clients between two times that are over: for the back-test."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from detectors.evidence.kinds import EvidenceKind
from detectors.verdict import Verdict
from store.configuration.network_groups import Network
from store.counts.period_counts import ERASED, OTHERS
from store.counts.periods import Resolution
from store.decisions.clients.client_evidence import IS_UPLOAD, UPLOAD, names_of
from store.decisions.impact import DAY, Day, Hit
from store.decisions.networks import lies_within, read_network
from store.requests.client_names import addresses_of, network_of
from store.requests.request_keys import key_of
from store.tables.request_tables import RequestRow
from store.tables.roll_up_tables import RollUpRow

Span = tuple[datetime, datetime]
"""From one time to another, the second not included."""
_IS_ACCEPTED = RequestRow.verdict != Verdict.REFUSE.value


def count_uploads(
    session: Session,
    client: str,
    since: datetime,
    until: datetime,
    left_out: Sequence[Span] = (),
) -> int:
    """Different files that were read of a client after a time, of what was stored until another.

    Args:
        left_out: what was received in these spans does not count.
    """
    its_own = RequestRow.client.in_(names_of(session, client, since, until))
    received_at = RequestRow.received_at
    counted = [or_(received_at < begin, received_at >= end) for begin, end in left_out]
    statement = select(func.count(UPLOAD.distinct())).where(
        its_own, *_lies_between(since, until), received_at > since, IS_UPLOAD, *counted
    )
    return session.scalar(statement) or 0


def read_day_before(session: Session, until: datetime) -> Day:
    """The clients of the 24 hours before a time, and what was accepted of them."""
    clients, accepted = session.execute(
        select(
            func.count(RequestRow.client.distinct()),
            func.count().filter(_IS_ACCEPTED),
        ).where(*_lies_between(until - DAY, until))
    ).one()
    return Day(clients, accepted)


def read_hit_before(session: Session, value: str, until: datetime) -> Hit:
    """Whom a block of a client or a network hits among those of the 24 hours before a time."""
    since, network = until - DAY, read_network(value)
    if network is not None:
        return _read_hit_within(session, network, since, until)
    its_own = RequestRow.client.in_(names_of(session, value, since, until))
    accepted = select(func.count()).where(its_own, *_lies_between(since, until), _IS_ACCEPTED)
    return Hit({value: session.scalar(accepted) or 0})


def read_floods(
    session: Session, since: datetime, until: datetime
) -> Mapping[datetime, Mapping[str, int]]:
    """Requests too many by the minute that they came in, from one time to another, and by client.

    Minutes are kept for two days: of an older time there are none.
    """
    rows = session.execute(
        select(RollUpRow.start, RollUpRow.name, func.sum(RollUpRow.requests))
        .where(
            RollUpRow.resolution == Resolution.MINUTE.value,
            RollUpRow.dimension == EvidenceKind.FLOOD.value,
            RollUpRow.start >= Resolution.MINUTE.start(since),
            RollUpRow.start < Resolution.MINUTE.start(until),
            RollUpRow.name.not_in((OTHERS, ERASED)),
        )
        .group_by(RollUpRow.start, RollUpRow.name)
    )
    floods: defaultdict[datetime, dict[str, int]] = defaultdict(dict)
    for start, name, requests in rows:
        floods[datetime.fromtimestamp(start, tz=until.tzinfo)][name] = int(requests)
    return floods


def count_turned_away_between(
    session: Session, kind: EvidenceKind, since: datetime, until: datetime
) -> int:
    """Requests of a kind without a record in the days of a stretch of time."""
    statement = select(func.sum(RollUpRow.requests)).where(
        RollUpRow.resolution == Resolution.DAY.value,
        RollUpRow.dimension == kind.value,
        RollUpRow.start >= Resolution.DAY.start(since),
        RollUpRow.start < int(until.timestamp()),
    )
    return int(session.scalar(statement) or 0)


def _read_hit_within(session: Session, network: Network, since: datetime, until: datetime) -> Hit:
    rows = session.execute(
        select(RequestRow.client, func.count().filter(_IS_ACCEPTED))
        .where(*_lies_between(since, until))
        .group_by(RequestRow.client)
    )
    accepted = Counter[str]()
    for client, requests in rows:
        own = addresses_of(client)
        if own is not None and lies_within(own, network):
            accepted[network_of(client)] += requests
    return Hit(accepted)


def _lies_between(since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return (RequestRow.id >= key_of(since), RequestRow.id <= key_of(until))
