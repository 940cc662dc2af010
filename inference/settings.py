"""Settings of the service process."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from detectors.rules import TopologyLimits
from detectors.verdict import Mode
from store.settings import StoreSettings


class ServiceSettings(StoreSettings):
    """How pictures are taken in, judged and recorded."""

    host: str = "127.0.0.1"
    """Address the service listens on; loopback unless you put something in front of it."""

    port: int = Field(8080, ge=0, le=65535)
    """Port the service listens on; 0 takes any free one."""

    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Comma-separated networks whose `X-Forwarded-For` header names the client."""

    require_api_key: bool = False
    """Refuse requests without an API key (`maskwatch keys add`); a wrong key is refused anyway."""

    access_refresh_seconds: float = Field(0.5, ge=0.05, le=60, allow_inf_nan=False)
    """How often changes of blocks, allows and API keys are looked for; a new one holds after it."""

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

    max_concurrency: int = Field(2, ge=1, le=256)
    """Pictures that are worked on at the same time."""

    max_queue: int = Field(32, ge=0, le=10_000)
    """Uploads that may wait; further ones are answered 503 with `Retry-After`."""

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
