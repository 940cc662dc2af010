"""The alert rule ``jobs_standing_still``: the scheduler lives and begins no run."""

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
