"""Settings of what is observed."""

from enum import StrEnum

from pydantic import Field, ValidationInfo, field_validator

from store.configuration.groups import Group


class WhenFull(StrEnum):
    """What a sender is told while no more observations can be taken in."""

    BUSY = "503"
    SLOW_DOWN = "429"
    DROP = "drop"


class ObserveGroup(Group):
    """Observations: what other services answered, sent to `POST /v1/observe`."""

    require_observe_key: bool = True
    """Take observations only with an API key that was made with `--scope observe`. Without it,
    whoever reaches the service can put anything into the records, and into blocks by policy."""

    observe_queue: int = Field(1_000, ge=1, le=100_000)
    """Observations that may wait to be measured and recorded."""

    observe_memory_bytes: int = Field(150_000_000, ge=3_000_000, le=1_000_000_000_000)
    """Memory for observations: a third each for those that are received, those that wait for the
    other half of their exchange, and those that wait to be measured."""

    observe_max_bytes: int = Field(32_000_000, ge=1_000, le=1_000_000_000, validate_default=True)
    """Largest observation, picture and answer together; at most a third of
    `observe_memory_bytes`."""

    observe_when_full: WhenFull = WhenFull.BUSY
    """While no more can be taken in: `503` or `429` with `Retry-After` tell the sender; with `drop`
    it is told that all is well, and only the count `maskwatch_observations_total` says more."""

    observe_workers: int = Field(1, ge=1, le=64)
    """Observations that are measured at the same time, beside uploads."""

    observe_join_seconds: float = Field(60, gt=0, le=3_600, allow_inf_nan=False)
    """How long an event of a request waits for that of its response, and the other way round."""

    observe_preset: str = "kserve"
    """How the requests and responses that come as events are read: the name of a preset, or the
    path of a TOML file."""

    observe_path: str = "/v2/models/model/infer"
    """A path that the service is called at, for events do not say: it chooses the door of the
    preset. For version 1 of the protocol `/v1/models/model:predict`."""

    @field_validator("observe_max_bytes")
    @classmethod
    def _fits_into_memory(cls, value: int, info: ValidationInfo) -> int:
        memory_bytes = info.data.get("observe_memory_bytes")
        if memory_bytes is not None and 3 * value > memory_bytes:
            raise ValueError(
                f"it is {value}, and must be at most a third of MASKWATCH_OBSERVE_MEMORY_BYTES, "
                f"which is {memory_bytes}"
            )
        return value
