"""Counts what became of the requests of an application."""

from collections import Counter
from enum import StrEnum
from threading import Lock


class Fate(StrEnum):
    """What became of a request that had a body."""

    REPORTED = "reported"
    """A picture of it was reported to the sidecar."""
    DROPPED = "dropped"
    """The queue was full."""
    NOT_TAKEN = "not_taken"
    """The sidecar was away, or did not take the report of a picture."""
    NO_PICTURE = "no_picture"
    """There was no picture in it where one was looked for."""
    UNREAD = "unread"
    """The application did not read the whole body."""
    TOO_LARGE = "too_large"
    """The body was over the limit."""
    ACCEPTED = "accepted"
    """The sidecar lets the application see it."""
    REFUSED = "refused"
    """The sidecar refused it."""
    NOT_SCREENED = "not_screened"
    """The sidecar could not be asked."""
    FAULT = "fault"
    """The middleware failed; the application did not notice."""


class Counts:
    """Numbers that only grow, for the metrics of the application."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counter: Counter[Fate] = Counter()

    def add(self, fate: Fate) -> None:
        """Count one."""
        with self._lock:
            self._counter[fate] += 1

    def read(self) -> dict[str, int]:
        """Every number by its name."""
        with self._lock:
            return {fate.value: self._counter[fate] for fate in Fate}
