"""The alert rule ``clock_stepped``: the clock under the jobs was put forward or back."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from store.alert_rules.rule import (
    AlertRule,
    Judgement,
    Surroundings,
    Unit,
    UnitKind,
    list_host,
)
from store.alerts.alerts import NO_TECHNIQUE, WARNING, Condition, open_alerts
from store.tables.work_tables import AlertRow

CLOCK_STEPPED = "clock_stepped"
_FAR_SECONDS = 3600.0
_QUIET = timedelta(hours=24)


def step_conditions(
    session: Session, host: str, seconds: float, noticed_at: datetime
) -> Iterator[Condition]:
    """The clock of a host stepped; that somebody acknowledged its last step says nothing of this.

    Args:
        seconds: how far; negative if it went back.
    """
    before = [alert for alert in open_alerts(session, CLOCK_STEPPED) if _host(alert) == host]
    for alert in before:
        if alert.acknowledged_at is not None:
            yield _resolution(alert, f"The clock of {host} stepped again after this was looked at.")
    # A short step back, or a further one, does not mend that it was put forward by a year.
    ahead_seconds = max(0.0, seconds + sum(map(_seconds_ahead, before)))
    yield _step_condition(host, seconds, ahead_seconds, noticed_at)


def _step_condition(
    host: str, seconds: float, ahead_seconds: float, noticed_at: datetime
) -> Condition:
    return Condition(
        fingerprint=f"{CLOCK_STEPPED}:{host}"[:120],
        rule=CLOCK_STEPPED,
        severity=WARNING,
        active=True,
        value=seconds,
        threshold=0.0,
        summary=(
            f"The clock of {host} was put {step_text(seconds)} at "
            f"{noticed_at:%d %b %Y %H:%M} UTC of its new time: the schedule of the jobs began anew."
        ),
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence={
            "host": host,
            "seconds": round(seconds, 1),
            "ahead_seconds": round(ahead_seconds, 1),
        },
    )


def may_run_ahead(session: Session) -> bool:
    """Whether a clock was put forward by an hour or more and nobody has looked at it yet."""
    return any(map(_is_far_ahead, open_alerts(session, CLOCK_STEPPED)))


def look_at_clocks(around: Surroundings) -> Judgement:
    """Judge which clocks are quiet again: a step itself is told by the watchdog that noticed it."""
    return lambda session: quiet_conditions(session, around.now)


def quiet_conditions(session: Session, now: datetime) -> Iterator[Condition]:
    """Conditions that resolve the alerts of clocks that have not stepped for a day.

    One that may run far ahead is left for a person: no time makes it right.
    """
    for alert in open_alerts(session, CLOCK_STEPPED):
        # Whichever way: the last step may have been dated by a clock that ran ahead.
        if abs(now - alert.evaluated_at) >= _QUIET and not _is_far_ahead(alert):
            yield _resolution(alert, f"The clock of {_host(alert)} has not stepped for a day.")


def _resolution(alert: AlertRow, summary: str) -> Condition:
    return Condition(
        fingerprint=alert.fingerprint,
        rule=CLOCK_STEPPED,
        severity=WARNING,
        active=False,
        value=0.0,
        threshold=0.0,
        summary=summary,
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence=alert.evidence,
    )


def _is_far_ahead(alert: AlertRow) -> bool:
    return _seconds_ahead(alert) >= _FAR_SECONDS


def _seconds_ahead(alert: AlertRow) -> float:
    """By how much a clock may run ahead, as far as nobody has looked at it."""
    if alert.acknowledged_at is not None:
        return 0.0
    return float(alert.evidence.get("ahead_seconds", alert.value))


def _host(alert: AlertRow) -> str:
    return str(alert.evidence.get("host"))


def step_text(seconds: float) -> str:
    """A step in words.

    >>> step_text(-3600.2), step_text(90.0)
    ('back by 1:00:00', 'forward by 0:01:30')
    """
    return f"{'forward' if seconds > 0 else 'back'} by {timedelta(seconds=round(abs(seconds)))}"


RULE = AlertRule(
    code=CLOCK_STEPPED,
    words="Clock stepped",
    meaning="The clock under the jobs was put forward or back.",
    unit=Unit(UnitKind.COUNT, "second"),
    firing=lambda alert: f"clock put {step_text(alert.value)}",
    resolved=lambda _: "clock has not stepped for a day",
    next_steps=(
        "Nothing has to be mended in Maskwatch: jobs run by the new time. Find out who set the "
        "clock: a time service that corrected it, a virtual machine that was paused, or somebody?",
        "Records between both times may be dated wrongly, and blocks end earlier or later than "
        "meant: look at the blacklist page.",
        "After a step forward of an hour or more `prune` removes nothing until you acknowledge the "
        "alert: a clock that runs ahead makes every record too old.",
        "The alert resolves by itself when the clock has not stepped for a day, unless it may run "
        "an hour ahead: then it waits for you.",
    ),
    runbook="clock_stepped",
    judge="watchdog",
    look=look_at_clocks,
    facts=list_host,
)
