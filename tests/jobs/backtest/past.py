"""Lets a time pass with the jobs running: what a back-test of it goes through again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from detectors.evidence.kinds import CLEAN_SHARE
from detectors.findings import Finding
from detectors.rule_book import ADVERSARIAL_PICTURE, find_rule
from detectors.verdict import Verdict
from jobs.alerting.alerts import surroundings
from jobs.backtest.backtest import Result
from jobs.backtest.run import Wish, run_backtest
from jobs.blocking.decide import run as decide
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.alert_rules.attacking_client import list_client_conditions
from store.alerts.alerts import apply_condition
from store.decisions.access_list import read_access_list
from store.engine.database import Database
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage
from tests.makers import NOW, make_record
from tests.waiting import be_patient

STEP = timedelta(minutes=3)
HOURS = 2
START = NOW - timedelta(hours=HOURS)


def make_settings(folder: Path, **changes: Any) -> JobSettings:
    """Those of short windows and blocks, so that much happens in a few hours."""
    usual: dict[str, Any] = {
        "block_window_minutes": 20,
        "block_minutes": 15,
        "simulate_blocks": False,
        "cap_min_clients": 1_000,
        "cap_min_requests": 100_000,
        "scan_interval_seconds": int(STEP.total_seconds()),
    }
    return be_patient(JobSettings(var_dir=folder, **{**usual, **changes}))


@dataclass(frozen=True)
class Arrival:
    """A request to come: seconds after the start, who sends it, what it shows, and which file."""

    at_seconds: int
    client: str
    code: str | None = None
    upload: int | None = None
    clean_share: float = 0.0

    @property
    def received_at(self) -> datetime:
        return START + timedelta(seconds=self.at_seconds)

    def to_record(self, number: int) -> RequestRecord:
        findings: tuple[Finding, ...] = ()
        if self.code == ADVERSARIAL_PICTURE.code:
            findings = (Finding(find_rule(self.code), {CLEAN_SHARE: self.clean_share}),)
        is_refused = self.code in {"unreadable", "truncated", "polyglot"}
        return make_record(
            request_id=str(UUID(int=number)),
            received_at=self.received_at,
            client=self.client,
            stage=Stage.GATE if is_refused else Stage.PARSED,
            verdict=Verdict.PASS if self.code is None else Verdict.FLAG,
            reasons=() if self.code is None else (self.code,),
            content_sha256=None if self.upload is None else f"{self.upload:064x}",
            findings=findings,
        )


def let_pass(context: JobContext, arrivals: Iterable[Arrival], until: datetime) -> None:
    """Take requests in as they come, and run the jobs at every step; who is blocked is refused."""
    coming = sorted(arrivals, key=lambda each: each.at_seconds)
    after: datetime | None = None
    for _, together in groupby(enumerate(coming), lambda each: _count_steps(each[1].received_at)):
        numbered = list(together)
        now = numbered[0][1].received_at
        run_jobs(context, after, now)
        with context.database.write() as session:
            # Nobody decides before the next step.
            access = read_access_list(session, now)
            add_records(
                session,
                [
                    arrival.to_record(number)
                    for number, arrival in numbered
                    if not access.is_blocked(arrival.received_at, [arrival.client])
                ],
            )
        after = now
    run_jobs(context, after, until)


def _count_steps(before: datetime) -> int:
    """How many runs of the jobs begin before a time."""
    return -((START - before) // STEP)


def run_jobs(context: JobContext, after: datetime | None, before: datetime) -> None:
    """Every run between two times."""
    now = START
    while now < before:
        if after is None or now >= after:
            decide(replace(context, now=now))
            _tell(replace(context, now=now))
        now += STEP


def _tell(context: JobContext) -> None:
    """What ``evaluate_alerts`` does about clients; its other rules take longer."""
    around = surroundings(context)
    with context.database.write() as session:
        for condition in list(list_client_conditions(session, around)):
            apply_condition(session, condition, context.now)


def go_through(
    database: Database, settings: JobSettings, wish: Wish | None = None, until: datetime = NOW
) -> Result:
    """A back-test of the whole time."""
    context = JobContext(database, settings, NOW)
    return run_backtest(context, wish or Wish(), START, until)
