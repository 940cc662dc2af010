"""What ``maskwatch backtest`` reads: the settings of the service, and the database."""

from collections.abc import Iterator
from datetime import datetime

from detectors.findings import Severity
from inference.gate.policy import Action
from inference.settings import ServiceSettings
from jobs.backtest.backtest import Result
from jobs.backtest.policy_file import write_policy
from jobs.backtest.run import Wish, read_in_force, run_backtest
from jobs.backtest.tried_rules import ServiceRules
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.existing import existing_database
from store.settings import load_settings

_SEVERITIES = {Action.RECORD: Severity.ODD, Action.FLAG: Severity.SUSPECT}


def run(
    settings: JobSettings, wish: Wish, since: datetime, until: datetime, now: datetime
) -> Result:
    """Go through the records; the database is only read.

    Raises:
        MaskwatchError: what is to be tried cannot be, or the database cannot be used.
    """
    with existing_database(settings) as database:
        return run_backtest(JobContext(database, settings, now), wish, since, until)


def write_policy_in_force(settings: JobSettings, now: datetime) -> Iterator[str]:
    """The block policy in force, as a file to begin with.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        yield from write_policy(read_in_force(session, JobContext(database, settings, now)))


def read_service_rules(is_needed: bool) -> ServiceRules:
    """What the settings of the service say of its rules; the rule book, if no rule is tried.

    Raises:
        SettingsError: a setting cannot be used.
    """
    if not is_needed:
        return ServiceRules()
    settings = load_settings(ServiceSettings)
    actions = settings.gate.gate_rules
    return ServiceRules(
        mode=settings.service.mode,
        inputs=settings.gate.gate_limits().inputs,
        severities={
            code: _SEVERITIES[each] for code, each in actions.items() if each in _SEVERITIES
        },
        off=frozenset(code for code, each in actions.items() if each is Action.OFF),
        refused=frozenset(code for code, each in actions.items() if each is Action.REFUSE),
    )
