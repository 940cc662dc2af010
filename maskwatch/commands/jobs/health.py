"""Whether the jobs run: what ``maskwatch doctor`` and ``maskwatch jobs health`` say."""

from collections.abc import Iterator

from maskwatch.commands.checks import Check, State
from store.alert_rules.clock_stepped import CLOCK_STEPPED
from store.alerts.alerts import open_alerts
from store.engine.existing import StoreMissing, existing_database
from store.pages.scheduler_health import SchedulerHealth, scheduler_health
from store.settings import StoreSettings


def read_jobs_health(settings: StoreSettings) -> SchedulerHealth:
    """Who runs the jobs, and whether they run.

    Raises:
        SchemaError: the database is behind or ahead.
        StoreMissing: no start has made the database.
        StoreUnavailable: the database cannot be reached.
    """
    with existing_database(settings) as database, database.read() as session:
        return scheduler_health(session)


def check_jobs(settings: StoreSettings) -> Iterator[Check]:
    """Who leads and since when, and whether clocks stepped; nothing before the first start."""
    try:
        with existing_database(settings) as database, database.read() as session:
            health = scheduler_health(session)
            stepped = [alert.summary for alert in open_alerts(session, CLOCK_STEPPED)]
    except StoreMissing:
        return
    yield Check("jobs", State.OK if health.is_ready else State.WARN, health.sentence)
    for summary in stepped:
        yield Check("clock", State.WARN, summary)
    if not stepped:
        yield Check("clock", State.OK, "No clock under the jobs stepped in the last day.")
