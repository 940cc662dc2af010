"""What the watchdog does at each look, with clocks that a test sets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import select

from jobs.alerting.alerts import run as evaluate_alerts
from jobs.clocks.clock_watch import ClockWatch
from jobs.context import JobContext
from jobs.keeping import prune
from jobs.leader import Leader, leadership
from jobs.pulse import Pulse
from jobs.schedule import Schedule, build_schedule, max_idle_seconds
from jobs.scheduler import begin_run
from jobs.settings import JobSettings
from jobs.watchdog import Watchdog
from store.alert_rules.clock_stepped import may_run_ahead
from store.alerts.alerts import Event as AlertEvent
from store.alerts.alerts import acknowledge, apply_condition
from store.alerts.outbox import address_notifications, claim_notification, postpone
from store.engine.database import Database
from store.tables.work_tables import AlertRow, LeaseRow, NotificationRow
from tests.makers import make_condition
from tests.waiting import wait_for

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Clocks:
    """A time of day that can be set, and a clock that nobody sets."""

    ahead: timedelta = timedelta(0)
    steady_seconds: float = 1000.0
    origin: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.origin + self.ahead + timedelta(seconds=self.steady_seconds)

    def steady(self) -> float:
        return self.steady_seconds


@dataclass
class Parts:
    """A watchdog that watches no thread, and what it works with."""

    watchdog: Watchdog
    clocks: Clocks
    leader: Leader
    pulse: Pulse
    schedule: Schedule
    runs: list[datetime]


@pytest.fixture
def parts(database: Database, settings: JobSettings) -> Iterator[Parts]:
    clocks, runs = Clocks(), []

    def context_now() -> JobContext:
        runs.append(datetime.now(UTC))
        raise RuntimeError("this schedule runs nothing")

    schedule = build_schedule(settings, context_now)
    pulse = Pulse(90.0, clocks.steady)
    with leadership(database, Event()) as leader:
        guarded = database.guarded_by(leader.guard)
        watch = ClockWatch(clocks.now, clocks.steady)
        watchdog = Watchdog(guarded, schedule, leader, pulse, watch)
        schedule.scheduler.start(paused=True)
        yield Parts(watchdog, clocks, leader, pulse, schedule, runs)
        schedule.scheduler.shutdown()
        watchdog.finish(60)


def _alerts(database: Database, rule: str) -> list[AlertRow]:
    with database.read() as session:
        of_rule = select(AlertRow).where(AlertRow.rule == rule)
        return list(session.scalars(of_rule.order_by(AlertRow.id)))


def _next_runs(schedule: Schedule) -> dict[str, datetime]:
    return {job.id: job.next_run_time for job in schedule.scheduler.get_jobs()}


@pytest.mark.parametrize(("step", "words"), [(-HOUR, "back by 1:00:00"), (HOUR, "forward by 1:00")])
def test_a_step_of_the_clock_is_told_and_the_schedule_begins_anew(
    parts: Parts, database: Database, step: timedelta, words: str
) -> None:
    before = _next_runs(parts.schedule)
    parts.watchdog.look()
    assert _next_runs(parts.schedule) == before
    parts.clocks.ahead += step
    began = datetime.now(UTC)
    parts.watchdog.look()
    parts.watchdog.look()
    [alert] = _alerts(database, "clock_stepped")
    assert words in alert.summary
    assert alert.state == "firing"
    assert all(
        began <= due for name, due in _next_runs(parts.schedule).items() if name != "retrain"
    )


def test_a_step_is_told_once_the_database_is_back(
    parts: Parts, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.clocks.ahead -= HOUR
    with monkeypatch.context() as away:
        away.setattr(parts.watchdog, "database", database.guarded_by(_refuse))
        parts.watchdog.look()
    assert _alerts(database, "clock_stepped") == []
    parts.watchdog.look()
    assert len(_alerts(database, "clock_stepped")) == 1


def _refuse(_session: object) -> None:
    raise OSError("This test does not let it write.")


def test_mails_that_wait_for_a_time_that_is_far_away_again_are_due_at_once(
    parts: Parts, database: Database
) -> None:
    now = parts.clocks.now()
    with database.write() as session:
        apply_condition(session, make_condition(), now)
        address_notifications(session, ["ada@example.org"], now)
        claim = claim_notification(session, now, 60)
        assert claim is not None
        postpone(session, claim, "The mail server is away.", now + HOUR)
    parts.clocks.ahead -= HOUR
    parts.watchdog.look()
    with database.read() as session:
        due = session.get_one(NotificationRow, claim.id).next_attempt_at
    assert due == parts.clocks.now()


def test_the_alert_about_a_step_resolves_after_a_quiet_day(
    parts: Parts, database: Database, settings: JobSettings
) -> None:
    parts.clocks.ahead -= HOUR
    parts.watchdog.look()
    noticed_at = parts.clocks.now()
    for hours, state in ((23, "firing"), (24, "resolved")):
        now = noticed_at + timedelta(hours=hours)
        evaluate_alerts(JobContext(database, settings, now))
        [alert] = _alerts(database, "clock_stepped")
        assert alert.state == state


def _may_run_ahead(database: Database) -> bool:
    with database.read() as session:
        return may_run_ahead(session)


def _step(parts: Parts, by: timedelta) -> None:
    parts.clocks.ahead += by
    parts.watchdog.look()


def test_a_clock_that_runs_ahead_waits_for_a_person_however_long_it_is_quiet(
    parts: Parts, database: Database, settings: JobSettings
) -> None:
    _step(parts, 400 * DAY)
    evaluate_alerts(JobContext(database, settings, parts.clocks.now() + 3 * DAY))
    [alert] = _alerts(database, "clock_stepped")
    assert alert.state == "firing"
    assert _may_run_ahead(database)


@pytest.mark.parametrize("further", [-MINUTE, MINUTE, -300 * DAY])
def test_a_further_step_does_not_hide_that_the_clock_runs_ahead(
    parts: Parts, database: Database, further: timedelta
) -> None:
    _step(parts, 400 * DAY)
    _step(parts, further)
    assert _may_run_ahead(database)


def test_no_run_begins_by_a_new_time_before_it_is_told(
    parts: Parts, database: Database, settings: JobSettings
) -> None:
    """The watchdog looks every ten seconds; what is overdue by the new time begins at once."""
    parts.clocks.ahead += 400 * DAY
    context = begin_run(parts.watchdog, settings)
    assert len(_alerts(database, "clock_stepped")) == 1
    with pytest.raises(prune.Postponed, match="acknowledge"):
        prune.run(context)


def test_a_clock_that_is_put_back_runs_ahead_no_more(parts: Parts, database: Database) -> None:
    _step(parts, 400 * DAY)
    _step(parts, -400 * DAY)
    assert not _may_run_ahead(database)
    _step(parts, -HOUR)
    _step(parts, HOUR)
    assert _may_run_ahead(database)  # nobody knows which of the two was right


def test_a_step_after_one_that_was_acknowledged_is_an_alert_of_its_own(
    parts: Parts, database: Database
) -> None:
    _step(parts, MINUTE)
    [first] = _alerts(database, "clock_stepped")
    with database.write() as session:
        acknowledge(session, first.id, "ada", parts.clocks.now())
    _step(parts, 400 * DAY)
    states = [(alert.state, alert.acknowledged_at) for alert in _alerts(database, "clock_stepped")]
    assert [state for state, _ in states] == ["resolved", "firing"]
    assert states[1][1] is None
    assert _may_run_ahead(database)
    with database.read() as session:
        events = session.scalars(select(NotificationRow.event).order_by(NotificationRow.id)).all()
    assert events == ["firing", "resolved", "firing"]


def test_a_scheduler_that_begins_no_run_tells_by_itself_and_resolves_when_it_does(
    parts: Parts, database: Database, settings: JobSettings
) -> None:
    parts.watchdog.look()
    parts.clocks.steady_seconds += 91
    parts.watchdog.look()
    [alert] = _alerts(database, "jobs_standing_still")
    assert alert.state == "firing"
    assert "No job began on" in alert.summary
    wait_for(lambda: list(settings.mail_dir.glob("*.eml")))
    parts.pulse.beat()
    parts.watchdog.look()
    [alert] = _alerts(database, "jobs_standing_still")
    assert alert.state == "resolved"
    with database.read() as session:
        events = session.scalars(select(NotificationRow.event).order_by(NotificationRow.id)).all()
    assert events == [AlertEvent.FIRING.value, AlertEvent.RESOLVED.value]


def test_each_look_renews_the_lease_and_says_how_long_no_job_began(
    parts: Parts, database: Database
) -> None:
    parts.clocks.steady_seconds += 12
    parts.watchdog.look()
    with database.read() as session:
        lease = session.get_one(LeaseRow, "jobs")
        assert (lease.idle_seconds, lease.max_idle_seconds) == (12.0, 90.0)


def test_a_scheduler_that_lost_its_lease_stands_by_and_begins_anew_when_it_leads_again(
    parts: Parts, settings: JobSettings, watched: Callable[[Schedule], list[str]]
) -> None:
    calls = watched(parts.schedule)
    other = Database.open(settings)
    usurper = Leader(other, clock=parts.clocks.steady)
    assert not usurper.confirm()
    parts.clocks.steady_seconds += 30
    assert usurper.confirm()
    for _ in range(2):
        parts.watchdog.look()
    assert calls == ["pause"]
    usurper.resign()
    for _ in range(2):
        parts.watchdog.look()
    assert calls == ["pause", "resume"]
    other.close()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[Schedule], list[str]]:
    """Notes what the scheduler of a schedule is told."""

    def note(schedule: Schedule) -> list[str]:
        calls: list[str] = []
        for name in ("pause", "resume"):
            monkeypatch.setattr(schedule.scheduler, name, lambda name=name: calls.append(name))
        return calls

    return note


def test_three_of_the_shortest_intervals_are_usual_and_at_least_a_minute() -> None:
    assert max_idle_seconds(JobSettings()) == 90.0
    assert max_idle_seconds(JobSettings(notify_interval_seconds=1)) == 60.0
