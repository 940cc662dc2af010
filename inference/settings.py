"""Settings of the service process."""

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from detectors.rules import TopologyLimits
from detectors.verdict import Mode
from store.settings import StoreSettings


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_concurrency() -> int:
    """One for each core, at most 4."""
    return min(4, usable_cores())


class ServiceSettings(StoreSettings):
    """How pictures are taken in, judged and recorded."""

    host: str = "127.0.0.1"
    """Address the service listens on; loopback unless you put something in front of it."""

    port: int = Field(8080, ge=0, le=65535)
    """Port the service listens on; 0 takes any free one."""

    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Comma-separated networks whose `X-Forwarded-For` header names the client."""

    mode: Mode = Mode.MONITOR
    """`monitor` only flags what detectors find; `enforce` refuses it."""

    model_file: Path | None = None
    """Weights of the reference segmenter; default: the file that Maskwatch ships."""

    max_upload_bytes: int = Field(10_000_000, ge=1_000, le=1_000_000_000)
    """Largest file that is read; a longer upload is cut off."""

    max_pixels: int = Field(40_000_000, ge=1_000, le=400_000_000)
    """Most pixels a picture may have, checked in its header before anything is decoded."""

    min_side: int = Field(8, ge=1, le=1_000)
    """Shortest side in pixels that is worth parsing."""

    max_side: int = Field(12_000, ge=64, le=65_535)
    """Longest side in pixels, checked in the header."""

    max_concurrency: int = Field(default_factory=default_concurrency, ge=1, le=256)
    """Pictures that are worked on at the same time; each gets its share of the cores."""

    max_queue: int = Field(32, ge=0, le=10_000)
    """Further uploads that are read or wait; more are answered 503 before they are read."""

    max_wait_seconds: float = Field(0.1, ge=0, le=600)
    """How long a whole upload waits for its turn before it is answered 503; while others are
    refused, a tenth of it."""

    max_uploads_per_client: int = Field(8, ge=1, le=10_000)
    """Uploads of one client that may be under way; more are answered 429."""

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

    max_connections: int = Field(500, ge=1, le=100_000)
    """Connections that may be open; further ones are closed at once."""

    header_seconds: float = Field(10, gt=0, le=600)
    """How long a client may take to send the headers of a request."""

    body_seconds: float = Field(20, gt=0, le=3600)
    """How long a client may take to send a whole upload; then it is answered 408."""

    send_seconds: float = Field(30, gt=0, le=3600)
    """How long a client may take to read an answer; then the connection is closed."""

    idle_seconds: int = Field(5, ge=1, le=3600)
    """How long a connection may stay open between an answer and the next request."""

    min_skin_share: float = Field(0.01, ge=0, le=1)
    """Below this share of skin a person is found odd."""

    max_trousers_gap: float = Field(0.06, ge=0, le=1)
    """Largest normal gap between trousers and feet, in body heights."""

    evidence_sample_share: float = Field(0.02, ge=0, le=1)
    """Share of passed requests whose downscaled, pixelated picture is kept; flagged ones always."""

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    def topology_limits(self) -> TopologyLimits:
        """The limits of the topology rules."""
        return TopologyLimits(self.min_skin_share, self.max_trousers_gap)
