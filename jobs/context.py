"""What every job receives and returns."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from detectors.errors import MaskwatchError
from jobs.settings import JobSettings
from store.engine.database import Database


class Skipped(MaskwatchError):
    """A job found nothing to work on yet: that is neither a success nor a failure."""

    retryable = True


@dataclass(frozen=True)
class JobContext:
    """The hands of a job.

    Attributes:
        now: when the run began, UTC.
    """

    database: Database
    settings: JobSettings
    now: datetime


@dataclass(frozen=True)
class JobOutcome:
    """What a job did, in one sentence.

    Attributes:
        rows: how many rows it touched.
        is_skipped: whether there was nothing to work on yet.
    """

    sentence: str
    rows: int = 0
    is_skipped: bool = False


JobFunction = Callable[[JobContext], JobOutcome]
