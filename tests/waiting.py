"""Waiting for what other threads and processes do."""

from collections.abc import Callable
from time import monotonic, sleep

from store.settings import Settings

PATIENCE_SECONDS = 180.0
"""Much longer than anything takes, for a machine may be busy with other things."""
DATABASE_LIMITS = ("database_wait_seconds", "read_timeout_seconds")
POLL_SECONDS = 0.01
"""How often something is looked at; servers of the standard library look twice a second."""


def wait_for(condition: Callable[[], object]) -> None:
    """Return once a condition holds; fail after three minutes."""
    give_up_at = monotonic() + PATIENCE_SECONDS
    while not condition():
        assert monotonic() < give_up_at, "it did not happen in time"
        sleep(POLL_SECONDS)


def be_patient(settings: Settings) -> Settings:
    """The same settings, where a database may take as long: few tests are about its limits."""
    return settings.model_copy(update=dict.fromkeys(DATABASE_LIMITS, PATIENCE_SECONDS))
