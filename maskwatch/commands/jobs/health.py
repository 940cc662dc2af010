"""Whether the jobs run: what ``maskwatch doctor`` and ``maskwatch jobs health`` say."""

from collections.abc import Iterator
from contextlib import closing

from maskwatch.commands.checks import Check, State
from store.alert_rules.clock_stepped import CLOCK_STEPPED
from store.alerts.alerts import open_alerts
from store.engine.database import Database
from store.engine.schema import check_revision
from store.pages.scheduler_health import SchedulerHealth, scheduler_health
from store.settings import StoreSettings


def read_jobs_health(settings: StoreSettings) -> SchedulerHealth:
    """Who runs the jobs, and whether they run.

    Raises:
        SchemaError: the database is behind or ahead.
        StoreUnavailable: the database cannot be reached, or has no tables.
    """
    with closing(Database.open(settings)) as database:
        check_revision(database)
        with database.read() as session:
            return scheduler_health(session)


def check_jobs(settings: StoreSettings) -> Iterator[Check]:
    """Who leads and since when, and whether clocks stepped; nothing before the first start."""
    if settings.store.database_url is None and not settings.store.var_dir.exists():
        return
    with closing(Database.open(settings)) as database:
        if check_revision(database) is None:
            return
        with database.read() as session:
            health = scheduler_health(session)
            stepped = [alert.summary for alert in open_alerts(session, CLOCK_STEPPED)]
    yield Check("jobs", State.OK if health.is_ready else State.WARN, health.sentence)
    for summary in stepped:
        yield Check("clock", State.WARN, summary)
    if not stepped:
        yield Check("clock", State.OK, "No clock under the jobs stepped in the last day.")
