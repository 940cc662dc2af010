"""The scheduler process: runs the catalogue until it is told to stop."""

from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread

import structlog

from jobs.alerting.channels.transports import FileTransport, transport_for
from jobs.context import JobContext
from jobs.leader import Leader, Terms, leadership
from jobs.pulse import Pulse
from jobs.schedule import build_schedule, max_idle_seconds
from jobs.settings import JobSettings
from jobs.stop_signals import stop_on_signals
from jobs.watchdog import Watchdog, close_interrupted
from store.engine.database import Database, StoreUnavailable
from store.engine.leases import LeaseLost
from store.engine.start import open_database

_log = structlog.get_logger(__name__)

_JOIN_SECONDS = 5.0


def run(settings: JobSettings, stop: Event | None = None, terms: Terms | None = None) -> None:
    """Run all jobs until SIGINT, SIGTERM or ``stop``.

    Args:
        terms: of the lease, the same for all schedulers of a database.

    Raises:
        AlreadyRunning: another scheduler works on this database.
        SchemaError: the database is not at the revision of this Maskwatch.
        StoreUnavailable: the database cannot be reached.
    """
    stop = stop or Event()
    database = open_database(settings, settings.schedule.job_timeout_seconds)
    try:
        with stop_on_signals(stop), leadership(database, stop, terms) as leader:
            if not stop.is_set():
                _work(database.guarded_by(leader.guard), settings, leader, stop)
    finally:
        database.close()


def _work(database: Database, settings: JobSettings, leader: Leader, stop: Event) -> None:
    pulse = Pulse(max_idle_seconds(settings))
    schedule = build_schedule(settings, lambda: begin_run(watchdog, settings))
    watchdog = Watchdog(database, schedule, leader, pulse)
    close_interrupted(database)
    schedule.scheduler.start()
    thread = Thread(target=watchdog.watch, args=(stop,), daemon=True, name="watchdog")
    thread.start()
    transport = transport_for(settings)
    if isinstance(transport, FileTransport):
        _log.warning("no mail server is set: alerts are files", folder=transport.place)
    _log.info("scheduler started", jobs=[job.id for job in schedule.scheduler.get_jobs()])
    stop.wait()
    schedule.scheduler.shutdown()
    thread.join(_JOIN_SECONDS)
    watchdog.finish(_JOIN_SECONDS)
    # Whoever took over has closed them; without the database, whoever starts next closes them.
    with suppress(LeaseLost, StoreUnavailable):
        close_interrupted(database)
    _log.info("scheduler stopped")


def begin_run(watchdog: Watchdog, settings: JobSettings) -> JobContext:
    """What a run works with.

    Raises:
        LeaseLost: another scheduler leads.
        StoreUnavailable: the database does not say who leads.
    """
    pulse, leader = watchdog.pulse, watchdog.leader
    pulse.beat()
    if not leader.confirm(0.0, pulse.max_idle_seconds):
        raise LeaseLost("Another `maskwatch jobs` leads: this one begins no run.")
    # Read before the clock is looked at: a step that nobody has noticed is not in it.
    now = datetime.now(UTC)
    watchdog.look_at_clock()
    return JobContext(watchdog.database, settings, now)
