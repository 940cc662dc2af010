"""Read models of the overview: counts over a period, never rows."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.alerts.alerts import AlertState
from store.counts.client_counts import count_clients
from store.counts.invalid_requests import InvalidShare, share_of
from store.counts.period_counts import (
    CLIENT,
    ERASED,
    OTHERS,
    REASON,
    STAGE,
    counts,
    total,
)
from store.counts.periods import Period
from store.decisions.scopes import Kind
from store.requests.request_keys import arrived_since, key_of
from store.tables.request_tables import RequestRow, ScoreRow
from store.tables.work_tables import AlertRow, DecisionRow, JobRunRow


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


def headline(session: Session, period: Period, now: datetime) -> Headline:
    """Count what happened in a period and what holds now."""
    groups = counts(session, period, STAGE)
    by_stage = session.execute(
        select(groups.c.name, groups.c.verdict, total(groups)).group_by(
            groups.c.name, groups.c.verdict
        )
    ).all()
    blocks = _active_blocks(session, now)
    alerts, acknowledgements = session.execute(
        select(func.count(), func.count(AlertRow.acknowledged_at)).where(
            AlertRow.state == AlertState.FIRING.value
        )
    ).one()
    return Headline(
        requests=sum(count for _, _, count in by_stage),
        clients=count_clients(session, period),
        invalid=share_of((stage, verdict, count) for stage, verdict, count in by_stage),
        outliers=_outliers(session, period),
        blocks=blocks[False],
        simulated_blocks=blocks[True],
        firing_alerts=alerts,
        unacknowledged_alerts=alerts - acknowledgements,
    )


def _outliers(session: Session, period: Period) -> int:
    """How many requests are outliers.

    Of a long period these are the requests that were stored in it: an index of the outliers' keys
    alone has that, and what was stored late counts for when it was stored.
    """
    recent = ScoreRow.request_pk >= key_of(period.since)
    outliers = select(ScoreRow.request_pk).where(ScoreRow.outlier, recent)
    if not period.from_roll_ups:
        requests = select(RequestRow.id).where(arrived_since(period.since))
        outliers = outliers.where(ScoreRow.request_pk.in_(requests))
    outliers = outliers.group_by(ScoreRow.request_pk)
    return session.scalar(select(func.count()).select_from(outliers.subquery())) or 0


def _active_blocks(session: Session, now: datetime) -> Counter[bool]:
    rows = session.execute(
        select(DecisionRow.simulated, func.count())
        .where(
            DecisionRow.kind == Kind.BLOCK.value,
            DecisionRow.until > now,
            DecisionRow.revoked_at.is_(None),
        )
        .group_by(DecisionRow.simulated)
    )
    return Counter({bool(simulated): count for simulated, count in rows})


@dataclass(frozen=True)
class VerdictCount:
    """Requests of one verdict in one slice of time."""

    start: datetime
    verdict: Verdict
    count: int


def verdicts_over_time(
    session: Session, period: Period, slice_seconds: int
) -> tuple[VerdictCount, ...]:
    """Requests per slice and verdict, oldest first; slices without requests are left out.

    Args:
        slice_seconds: if the period is rolled up, full minutes up to a day, full hours beyond.
    """
    groups = counts(session, period, STAGE, slice_seconds)
    by = (groups.c.slice, groups.c.verdict)
    rows = session.execute(select(*by, total(groups)).group_by(*by).order_by(*by))
    return tuple(
        VerdictCount(datetime.fromtimestamp(start, UTC), Verdict(verdict), count)
        for start, verdict, count in rows
    )


@dataclass(frozen=True)
class ReasonCount:
    """How often a reason led to a verdict."""

    reason: str
    verdict: Verdict
    count: int


def top_reasons(session: Session, period: Period, most: int) -> tuple[ReasonCount, ...]:
    """The commonest reasons of flagged and refused requests, commonest first."""
    groups = counts(session, period, REASON)
    by = (groups.c.name, groups.c.verdict)
    totals: Counter[tuple[str, Verdict]] = Counter()
    for name, verdict, count in session.execute(select(*by, total(groups)).group_by(*by)):
        for code in _codes(name):
            totals[code, Verdict(verdict)] += count
    return tuple(
        ReasonCount(code, verdict, count) for (code, verdict), count in totals.most_common(most)
    )


def _codes(name: str) -> list[str]:
    """A roll-up names one reason, a record has a list of them in JSON."""
    codes: list[str] = json.loads(name) if name.startswith("[") else [name]
    return [code for code in codes if code != OTHERS]


@dataclass(frozen=True)
class ClientCount:
    """One client's part in a window; requests turned away at admission count as bad."""

    client: str
    requests: int
    bad: int

    @property
    def bad_share(self) -> float:
        """Flagged and refused over all."""
        return self.bad / self.requests


def busiest_clients(session: Session, period: Period, most: int) -> tuple[ClientCount, ...]:
    """The clients with most requests, busiest first."""
    groups = counts(session, period, CLIENT)
    requests = total(groups)
    bad = func.sum(case((groups.c.verdict != Verdict.PASS.value, groups.c.requests), else_=0))
    rows = session.execute(
        select(groups.c.name, requests, bad)
        .where(groups.c.name.not_in((OTHERS, ERASED)))
        .group_by(groups.c.name)
        .order_by(requests.desc(), groups.c.name)
        .limit(most)
    ).all()
    return tuple(ClientCount(name, count, int(b)) for name, count, b in rows)


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
    rows = session.scalars(
        select(JobRunRow).where(JobRunRow.id.in_(_latest_runs())).order_by(JobRunRow.job)
    )
    return tuple(
        JobHealth(r.job, r.outcome, r.started_at, r.finished_at, r.rows, r.message) for r in rows
    )


def _latest_runs() -> Select[Any]:
    """Keys of the latest runs: from name to name in an index, past all the older runs."""
    names = select(func.min(JobRunRow.job).label("job")).cte("names", recursive=True)
    next_name = select(func.min(JobRunRow.job)).where(JobRunRow.job > names.c.job)
    names = names.union_all(select(next_name.scalar_subquery()).where(names.c.job.is_not(None)))
    latest = (
        select(JobRunRow.id)
        .where(JobRunRow.job == names.c.job)
        .order_by(JobRunRow.id.desc())
        .limit(1)
    )
    return select(latest.scalar_subquery()).where(names.c.job.is_not(None))
