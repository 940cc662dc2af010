"""Settings of the recorder."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from store.configuration.groups import Group
from store.settings import StoreSettings


class Durability(StrEnum):
    """When a request may be answered."""

    STRICT = "strict"
    RELAXED = "relaxed"


@dataclass(frozen=True)
class RecorderLimits:
    """How records are grouped, and how many may wait.

    Attributes:
        wait_seconds: how long the oldest record of a group waits for others.
        batch: most records of a group.
        queue: most records that wait for their group.
        queue_seconds: how long a caller waits for a place in the queue.
    """

    durability: Durability = Durability.STRICT
    wait_seconds: float = 0.005
    batch: int = 256
    queue: int = 4096
    queue_seconds: float = 2.0


class RecordsGroup(Group):
    """How records become durable."""

    durability: Durability = Durability.STRICT
    """`strict`: a request is answered when its record is on disk. `relaxed`: when it is queued,
    which is quicker; whoever kills the process then loses what waits, at most `record_queue`."""

    record_wait_ms: float = Field(5.0, ge=0, le=1000, allow_inf_nan=False)
    """How long a record that arrives while others are written waits for company, in milliseconds;
    one that finds nothing to wait for is written at once; 0: none waits."""

    record_batch: int = Field(256, ge=1, le=10_000)
    """Most records that are committed together."""

    record_queue: int = Field(4096, ge=1, le=1_000_000)
    """Most records that wait to be written; further requests wait for a place."""

    record_queue_seconds: float = Field(2.0, ge=0, le=60, allow_inf_nan=False)
    """How long a request waits for a place in that queue before it is answered 503."""

    def recorder_limits(self) -> RecorderLimits:
        """The limits of the recorder."""
        return RecorderLimits(
            self.durability,
            self.record_wait_ms / 1000,
            self.record_batch,
            self.record_queue,
            self.record_queue_seconds,
        )


class RecorderSettings(StoreSettings):
    """What the recorder reads."""

    records: RecordsGroup = Field(default_factory=RecordsGroup)
