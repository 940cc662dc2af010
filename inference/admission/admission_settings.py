"""Settings of admission: who may send pictures, how many at a time."""

import os
from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from store.configuration.comma_lists import CommaList
from store.configuration.groups import Group


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_concurrency() -> int:
    """One for each core, at most 4."""
    return min(4, usable_cores())


class CrossSite(StrEnum):
    """What becomes of uploads that pages of other sites make their visitors send."""

    REFUSE = "refuse"
    ACCEPT = "accept"


class AdmissionGroup(Group):
    """Who may send pictures, and how many at a time."""

    require_api_key: bool = False
    """Refuse requests without an API key (`maskwatch keys add`); a wrong key is refused anyway."""

    cross_site: CrossSite = CrossSite.REFUSE
    """`refuse` uploads that a page of another site makes its visitor send (`Sec-Fetch-Site`, or a
    foreign `Origin`); they count against nobody. `accept` takes them."""

    allowed_origins: CommaList[str] = ()
    """Comma-separated origins of other sites whose pages may send pictures, e.g.
    `https://app.example`."""

    access_refresh_seconds: float = Field(0.25, ge=0.05, le=60, allow_inf_nan=False)
    """How often changes of blocks, allows, API keys and the promoted outlier model are looked for;
    a new one holds after it."""

    max_concurrency: int = Field(default_factory=default_concurrency, ge=1, le=256)
    """Pictures that are worked on at the same time; each gets its share of the cores."""

    max_queue: int = Field(32, ge=0, le=10_000)
    """Further uploads that are read or wait; more are answered 503 before they are read."""

    max_body_memory_bytes: int = Field(160_000_000, ge=1_000_000, le=1_000_000_000_000)
    """Bytes of all uploads inside together, as they were sent; one that would exceed them is
    answered 503. While it is read, an upload takes up to three times as much."""

    min_wait_seconds: float = Field(0.1, ge=0, le=600)
    """How long a whole upload waits for its turn at least, before it is answered 503; it waits as
    long as recent turns took, if that is longer."""

    max_wait_seconds: float = Field(10, ge=0, le=600)
    """How long a whole upload waits for its turn at most, however long turns take; wins over
    `MASKWATCH_MIN_WAIT_SECONDS`."""

    max_uploads_per_client: int = Field(8, ge=1, le=10_000)
    """Uploads of one client that may be under way, and never more than there are free places for
    others; more are answered 429."""

    rate_per_second: float = Field(10, ge=0, le=100_000)
    """Requests a second that one client may make for long; more are answered 429; 0: no limit."""

    rate_burst: int = Field(60, ge=1, le=1_000_000)
    """Requests that a client may make at once after a pause."""

    refusal_record_seconds: float = Field(10, ge=0, le=86_400)
    """Of the same refusal at admission, one for each client and this many seconds is recorded; 0:
    each one."""

    refusal_pause_seconds: float = Field(0.5, ge=0, le=10)
    """About how long the answer to a repeated refusal at admission is held back: whoever asks again
    at once slows itself down; 0: not at all."""

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_check_origin(origin) for origin in value)


def _check_origin(text: str) -> str:
    parts = urlsplit(text)
    if not parts.scheme or text != f"{parts.scheme}://{parts.netloc}" or not parts.netloc:
        raise ValueError(f"{text!r} must look like https://app.example, without a path")
    return text.lower()
