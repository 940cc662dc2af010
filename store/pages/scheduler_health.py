"""Whether the scheduler works: read from its lease, which it renews every ten seconds."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from store.engine.leases import read_lease

# As long as a lease lasts. Either way: the clock of the database may have been put back just now.
_MAX_AGE_SECONDS = 30.0


@dataclass(frozen=True)
class SchedulerHealth:
    """The scheduler as its lease shows it.

    Attributes:
        is_ready: whether it renews its lease and begins runs.
        holder: host and process, if one leads or led and did not say goodbye.
        sentence: the same for people.
    """

    is_ready: bool
    holder: str | None
    since: datetime | None
    sentence: str


def scheduler_health(session: Session) -> SchedulerHealth:
    """Who runs the jobs, and whether they run."""
    lease = read_lease(session)
    if lease.holder is None or lease.age_seconds is None or lease.since is None:
        return SchedulerHealth(False, None, None, "Nobody runs the jobs: start `maskwatch jobs`.")
    since = f"leads since {lease.since:%Y-%m-%d %H:%M:%S} UTC"
    is_ready = False
    if abs(lease.age_seconds) > _MAX_AGE_SECONDS:
        said = (
            f"{lease.holder} led and has not renewed its lease for {abs(lease.age_seconds):.0f} "
            "seconds: it is gone, frozen or without the database. Restart `maskwatch jobs`."
        )
    elif lease.max_idle_seconds and lease.idle_seconds > lease.max_idle_seconds:
        said = (
            f"{lease.holder} {since}, but began no job for {lease.idle_seconds:.0f} seconds: "
            "restart `maskwatch jobs`."
        )
    else:
        is_ready, said = True, f"{lease.holder} {since} and begins its jobs."
    return SchedulerHealth(is_ready, lease.holder, lease.since, said)
