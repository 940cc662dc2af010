"""Waiting for what other threads and processes do."""

from collections.abc import Callable
from time import monotonic, sleep

# Much longer than anything takes, for a machine may be busy with other things.
_PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.01
"""How often something is looked at; servers of the standard library look twice a second."""


def wait_for(condition: Callable[[], object]) -> None:
    """Return once a condition holds; fail after a minute."""
    give_up_at = monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert monotonic() < give_up_at, "it did not happen in time"
        sleep(POLL_SECONDS)
