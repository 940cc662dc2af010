"""The watchdog: looks after the scheduler every few seconds, by a clock that nobody sets."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread

import structlog

from jobs.catalogue import job_named
from jobs.clocks.clock_watch import ClockStep, ClockWatch
from jobs.context import JobContext
from jobs.leader import Leader
from jobs.pulse import Pulse
from jobs.runs import log_faults, run_quietly
from jobs.schedule import Schedule
from store.alert_rules.clock_stepped import step_conditions, step_text
from store.alert_rules.jobs_standing_still import standing_still_condition
from store.alerts.alerts import Condition, apply_condition
from store.alerts.job_runs import fail_interrupted_runs
from store.alerts.outbox import make_notifications_due
from store.engine.database import Database
from store.engine.locks import take_turn
from store.models.loaded_models import this_host

_log = structlog.get_logger(__name__)
_JUDGE = "watchdog"


@dataclass
class Watchdog:
    """Renews the lease, notices steps of the clock, and tells when no job begins any more.

    Attributes:
        database: guarded by the leader.
        schedule: of a scheduler that runs.
    """

    database: Database
    schedule: Schedule
    leader: Leader
    pulse: Pulse
    clock: ClockWatch = field(default_factory=ClockWatch)
    _leads: bool = True
    _steps: list[ClockStep] = field(default_factory=list)
    _stood_still: bool | None = None
    _mail: Thread | None = None
    _clock_lock: Lock = field(default_factory=Lock)

    def watch(self, stop: Event) -> None:
        """Look until the event is set."""
        while not stop.wait(self.leader.terms.renew_seconds):
            self.look()

    def finish(self, seconds: float) -> None:
        """Let a mail that is on its way leave, for so long: it uses the database."""
        if self._mail is not None:
            self._mail.join(seconds)

    def look(self) -> None:
        """Look once; what goes wrong is log_faults and tried again the next time."""
        with log_faults("leadership"):
            self._renew()
        with log_faults("clock"):
            self.look_at_clock()
        with log_faults("pulse"):
            self._look_at_pulse()

    def _renew(self) -> None:
        leads = self.leader.confirm(self.pulse.idle_seconds, self.pulse.max_idle_seconds)
        if leads and not self._leads:
            _log.warning("leading again")
            close_interrupted(self.database)
            self.pulse.beat()
            self.schedule.resume()
        elif self._leads and not leads:
            _log.warning("leadership lost: another scheduler took over, this one stands by")
            self.schedule.pause()
        self._leads = leads

    def look_at_clock(self) -> None:
        """Tell of a step before anything is done by the new time; any thread may ask.

        Raises:
            StoreUnavailable: it cannot be told.
        """
        with self._clock_lock:
            step = self.clock.look()
            if step is not None:
                words = step_text(step.seconds)
                _log.warning("clock stepped", step=words, seconds=step.seconds)
                self._steps.append(step)
                self.schedule.begin_anew()
            while self._steps and self._leads:
                self._tell_step(self._steps[0])
                self._steps.pop(0)

    def _tell_step(self, step: ClockStep) -> None:
        with self.database.write() as session:
            take_turn(session, "alerts")
            make_notifications_due(session, step.noticed_at)
            conditions = step_conditions(session, this_host(), step.seconds, step.noticed_at)
            for condition in conditions:
                apply_condition(session, condition, step.noticed_at, judge=_JUDGE)

    def _look_at_pulse(self) -> None:
        if not self._leads:
            return
        if self.pulse.stands_still != self._stood_still:
            self._tell_pulse(self.pulse.stands_still)
        if self._stood_still and (self._mail is None or not self._mail.is_alive()):
            # The schedule does not send it; and a mail server may take longer than the lease.
            self._mail = Thread(target=self._send_mail, daemon=True)
            self._mail.start()

    def _tell_pulse(self, stands_still: bool) -> None:
        idle = self.pulse.idle_seconds
        condition = standing_still_condition(this_host(), idle, self.pulse.max_idle_seconds)
        if stands_still:
            _log.error("jobs stand still", idle_seconds=round(idle))
        self._apply(condition)
        self._stood_still = stands_still

    def _apply(self, condition: Condition) -> None:
        now = datetime.now(UTC)
        with self.database.write() as session:
            take_turn(session, "alerts")
            apply_condition(session, condition, now, judge=_JUDGE)

    def _send_mail(self) -> None:
        context = JobContext(self.database, self.schedule.settings, datetime.now(UTC))
        run_quietly("notify", job_named("notify").run, context)


def close_interrupted(database: Database) -> None:
    """Write down that the runs of a process that is gone did not end."""
    with database.write() as session:
        runs = fail_interrupted_runs(session, datetime.now(UTC))
    if runs:
        _log.warning("runs were interrupted", runs=runs)
