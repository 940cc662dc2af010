"""Read models of the overview: counts over a window, never rows."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Integer, Text, case, cast, extract, func, literal_column, select
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.alerts import AlertState
from store.decisions import Kind
from store.keys import arrived_since
from store.requests import InvalidShare, invalid_share
from store.tables import AlertRow, DecisionRow, JobRunRow, RequestRow, ScoreRow


@dataclass(frozen=True)
class Headline:
    """The numbers on top of the overview.

    Attributes:
        requests: all of the window, those that were turned away at admission among them.
        blocks: enforced blocks that hold now.
        simulated_blocks: blocks that are recorded but not enforced.
    """

    requests: int
    clients: int
    invalid: InvalidShare
    outliers: int
    blocks: int
    simulated_blocks: int
    firing_alerts: int
    unacknowledged_alerts: int


def headline(session: Session, since: datetime, now: datetime) -> Headline:
    """Count what happened since a time and what holds now."""
    requests, clients = session.execute(
        select(func.count(), func.count(RequestRow.client.distinct())).where(arrived_since(since))
    ).one()
    outliers = session.scalar(
        select(func.count(ScoreRow.request_pk.distinct()))
        .join(RequestRow, RequestRow.id == ScoreRow.request_pk)
        .where(ScoreRow.outlier, arrived_since(since))
    )
    blocks = _active_blocks(session, now)
    firing, acknowledged = session.execute(
        select(func.count(), func.count(AlertRow.acknowledged_at)).where(
            AlertRow.state == AlertState.FIRING.value
        )
    ).one()
    return Headline(
        requests=requests,
        clients=clients,
        invalid=invalid_share(session, since),
        outliers=outliers or 0,
        blocks=blocks[False],
        simulated_blocks=blocks[True],
        firing_alerts=firing,
        unacknowledged_alerts=firing - acknowledged,
    )


def _active_blocks(session: Session, now: datetime) -> Counter[bool]:
    counted = session.execute(
        select(DecisionRow.simulated, func.count())
        .where(
            DecisionRow.kind == Kind.BLOCK.value,
            DecisionRow.until > now,
            DecisionRow.revoked_at.is_(None),
        )
        .group_by(DecisionRow.simulated)
    )
    return Counter({bool(simulated): count for simulated, count in counted})


@dataclass(frozen=True)
class VerdictCount:
    """Requests of one verdict in one slice of time."""

    start: datetime
    verdict: Verdict
    count: int


def verdicts_over_time(
    session: Session, since: datetime, slice_seconds: int
) -> tuple[VerdictCount, ...]:
    """Requests per slice and verdict, oldest first; slices without requests are left out."""
    epoch = extract("epoch", RequestRow.received_at)
    # A literal, not a parameter: PostgreSQL must see the same text in SELECT and GROUP BY.
    start = cast(epoch - epoch % literal_column(str(int(slice_seconds))), Integer).label("start")
    counted = session.execute(
        select(start, RequestRow.verdict, func.count())
        .where(arrived_since(since))
        .group_by(start, RequestRow.verdict)
        .order_by(start)
    )
    return tuple(
        VerdictCount(datetime.fromtimestamp(at, UTC), Verdict(verdict), count)
        for at, verdict, count in counted
    )


@dataclass(frozen=True)
class ReasonCount:
    """How often a reason led to a verdict."""

    reason: str
    verdict: Verdict
    count: int


def top_reasons(session: Session, since: datetime, most: int) -> tuple[ReasonCount, ...]:
    """The commonest reasons of flagged and refused requests, commonest first."""
    reasons = cast(RequestRow.reasons, Text)
    counted = session.execute(
        select(reasons, RequestRow.verdict, func.count())
        .where(RequestRow.verdict != Verdict.PASS.value, arrived_since(since))
        .group_by(reasons, RequestRow.verdict)
    )
    totals: Counter[tuple[str, Verdict]] = Counter()
    for codes, verdict, count in counted:
        for code in json.loads(codes):
            totals[code, Verdict(verdict)] += count
    return tuple(
        ReasonCount(code, verdict, count) for (code, verdict), count in totals.most_common(most)
    )


@dataclass(frozen=True)
class ClientCount:
    """One client's part in a window; requests turned away at admission count as bad."""

    client: str
    requests: int
    bad: int
    last_seen: datetime

    @property
    def bad_share(self) -> float:
        """Flagged and refused over all."""
        return self.bad / self.requests


def busiest_clients(session: Session, since: datetime, most: int) -> tuple[ClientCount, ...]:
    """The clients with most requests, busiest first."""
    bad = func.sum(case((RequestRow.verdict != Verdict.PASS.value, 1), else_=0))
    counted = session.execute(
        select(RequestRow.client, func.count(), bad, func.max(RequestRow.received_at))
        .where(arrived_since(since))
        .group_by(RequestRow.client)
        .order_by(func.count().desc(), RequestRow.client)
        .limit(most)
    )
    return tuple(ClientCount(client, count, int(b), seen) for client, count, b, seen in counted)


@dataclass(frozen=True)
class JobHealth:
    """The latest run of a job; ``finished_at`` is ``None`` while it runs."""

    job: str
    outcome: str
    started_at: datetime
    finished_at: datetime | None
    rows: int
    message: str | None


def job_health(session: Session) -> tuple[JobHealth, ...]:
    """The latest run of every job that ever ran, by name."""
    latest = select(func.max(JobRunRow.id)).group_by(JobRunRow.job)
    rows = session.scalars(
        select(JobRunRow).where(JobRunRow.id.in_(latest)).order_by(JobRunRow.job)
    )
    return tuple(
        JobHealth(r.job, r.outcome, r.started_at, r.finished_at, r.rows, r.message) for r in rows
    )
