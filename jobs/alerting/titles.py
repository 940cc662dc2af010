"""One line about an alert: the subject of its mail."""

from collections.abc import Callable, Mapping

from jobs.alerting.alerts import JOB_FAILED
from jobs.alerting.rules.attacking_client import ATTACKING_CLIENT, MANY_ATTACKING_CLIENTS
from jobs.alerting.rules.clock_stepped import step_text
from jobs.alerting.rules.disk_low import DISK_LOW
from jobs.alerting.rules.integrity import MODEL_FILE_CHANGED
from jobs.alerting.rules.jobs_standing_still import JOBS_STANDING_STILL
from jobs.alerting.rules.mail_refused import MAIL_REFUSED
from jobs.alerting.rules.recurring_patch import RECURRING_PATCH
from jobs.alerting.rules.spool_in_use import SPOOL_IN_USE
from store.alerts.alerts import Event
from store.alerts.clock_steps import CLOCK_STEPPED
from store.phrases import phrase_count, phrase_share
from store.tables.work_tables import AlertRow

Title = Callable[[AlertRow], str]


def title(alert: AlertRow, event: Event) -> str:
    """What, how much, against which limit."""
    firing, resolved = _TITLES.get(alert.rule, (_share, _share))
    return resolved(alert) if event is Event.RESOLVED else firing(alert)


def _share(alert: AlertRow) -> str:
    name = alert.rule.replace("_", " ")
    return f"{name} {phrase_share(alert.value)} (limit {phrase_share(alert.threshold)})"


def _number(noun: str, more: str) -> Title:
    return lambda alert: f"{phrase_count(int(alert.value), noun)} {more}"


# While an alert fires, and when it is over.
_TITLES: Mapping[str, tuple[Title, Title]] = {
    JOB_FAILED: (
        lambda alert: f"job {alert.evidence.get('job')} failed",
        lambda alert: f"job {alert.evidence.get('job')} runs again",
    ),
    # No names: whoever writes files chooses them, and a subject is a header.
    MODEL_FILE_CHANGED: (_number("model file", "changed"), lambda _: "model files as loaded"),
    SPOOL_IN_USE: (_number("record", "in the spool"), lambda _: "spool is empty"),
    RECURRING_PATCH: (
        _number("recurring print", "on the blacklist"),
        lambda _: "no new recurring print",
    ),
    DISK_LOW: (
        lambda alert: f"{alert.value:.0f} MB left on the disk (limit {alert.threshold:.0f} MB)",
        lambda _: "the disk has room again",
    ),
    CLOCK_STEPPED: (
        lambda alert: f"clock put {step_text(alert.value)}",
        lambda _: "clock has not stepped for a day",
    ),
    MAIL_REFUSED: (
        lambda alert: f"no mail goes to {alert.evidence.get('recipient')}",
        lambda alert: f"mail to {alert.evidence.get('recipient')} goes out",
    ),
    JOBS_STANDING_STILL: (lambda _: "jobs stand still", lambda _: "jobs begin again"),
    # Clients do not choose their names: they are addresses, or keys that an administrator named.
    ATTACKING_CLIENT: (
        lambda alert: f"client {alert.evidence.get('client')} attacks",
        lambda alert: f"client {alert.evidence.get('client')} does not attack any more",
    ),
    MANY_ATTACKING_CLIENTS: (
        lambda alert: f"attacks of {phrase_count(int(alert.value), 'more client')}",
        lambda _: "no attacks of more clients",
    ),
}
