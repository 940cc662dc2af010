"""The alert rule ``jobs_standing_still``: the scheduler lives and begins no run."""

from store.alert_rules.rule import AlertRule, Unit, UnitKind, list_host
from store.alerts.alerts import CRITICAL, NO_TECHNIQUE, Condition

JOBS_STANDING_STILL = "jobs_standing_still"


def standing_still_condition(host: str, idle_seconds: float, max_idle_seconds: float) -> Condition:
    """No run began in three intervals.

    Args:
        idle_seconds: since the last run began, by a clock that nobody sets.
    """
    stands_still = idle_seconds > max_idle_seconds
    return Condition(
        fingerprint=JOBS_STANDING_STILL,
        rule=JOBS_STANDING_STILL,
        severity=CRITICAL,
        active=stands_still,
        value=idle_seconds,
        threshold=max_idle_seconds,
        summary=(
            f"No job began on {host} for {idle_seconds:.0f} seconds (limit "
            f"{max_idle_seconds:.0f}): nothing is scanned, decided or mailed."
            if stands_still
            else f"Jobs begin on {host} again."
        ),
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence={"host": host, "idle_seconds": round(idle_seconds)},
    )


RULE = AlertRule(
    code=JOBS_STANDING_STILL,
    words="Jobs standing still",
    meaning="The scheduler lives and begins no job.",
    unit=Unit(UnitKind.COUNT, "second"),
    firing=lambda _: "jobs stand still",
    resolved=lambda _: "jobs begin again",
    next_steps=(
        "Restart `maskwatch jobs`: it begins with every job at once, and nothing is lost.",
        "Keep its log from before the restart; the last lines say what held it up.",
        "The alert resolves by itself when a job begins.",
    ),
    runbook="jobs_standing_still",
    judge="watchdog",
    facts=list_host,
)
