"""Settings of the service process."""

import os
from dataclasses import replace
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from detectors.picture.input_rules import InputLimits
from detectors.probing.sequence import ProbingLimits
from detectors.topology.topology_limits import TopologyLimits
from detectors.verdict import Mode
from inference.ensemble.policy import EnsembleMode, EnsemblePolicy
from inference.ensemble.recipe import Recipe
from inference.ensemble.tile_search import TileRecipe
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import MediaType
from inference.gate.policy import Action, GatePolicy, parse_actions
from inference.gate.sandbox.process import WorkerLimits
from inference.gate.screen import DEFAULT_TYPES, GateLimits
from inference.model_settings import ModelSettings, split_list
from inference.recording.recorder_settings import RecorderSettings


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_concurrency() -> int:
    """One for each core, at most 4."""
    return min(4, usable_cores())


class ServiceSettings(RecorderSettings, ModelSettings):
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
    """How often changes of blocks, allows, API keys and the promoted outlier model are looked for;
    a new one holds after it."""

    mode: Mode = Mode.MONITOR
    """`monitor` only flags what detectors find; `enforce` refuses it."""

    max_upload_bytes: int = Field(10_000_000, ge=1_000, le=1_000_000_000)
    """Largest file that is read; a longer upload is cut off."""

    picture_types: Annotated[tuple[MediaType, ...], NoDecode] = DEFAULT_TYPES
    """Comma-separated types that are taken, by content: also `image/gif`, `image/bmp` and
    `image/tiff`."""

    max_pixels: int = Field(40_000_000, ge=1_000, le=400_000_000)
    """Most pixels a picture may have, checked in its header before anything is decoded."""

    min_side: int = Field(8, ge=1, le=1_000)
    """Shortest side in pixels that is worth parsing."""

    max_side: int = Field(12_000, ge=64, le=65_535)
    """Longest side in pixels, checked in the header."""

    max_ratio: float = Field(20.0, ge=1, le=65_535, allow_inf_nan=False)
    """Longest side over shortest side, checked in the header."""

    max_frames: int = Field(256, ge=1, le=1_000_000)
    """Pictures in one file; only the first is decoded."""

    max_metadata_bytes: int = Field(4_000_000, ge=0, le=1_000_000_000)
    """Exif, XMP, comments and the like, after they are unpacked."""

    max_profile_bytes: int = Field(4_000_000, ge=0, le=1_000_000_000)
    """Colour profile, after it is unpacked."""

    max_expansion: float = Field(500.0, ge=1, allow_inf_nan=False)
    """Decoded bytes for each uploaded byte, for pictures that decode to more than 16 MB."""

    decode_seconds: float = Field(5.0, gt=0, le=300, allow_inf_nan=False)
    """Longest time for one picture in a decode worker, which is killed after it."""

    decode_memory_bytes: int = Field(768_000_000, ge=64_000_000, le=64_000_000_000)
    """Memory that a decode worker may take for one picture; the largest allowed one needs about
    fifteen bytes a pixel."""

    decode_recycle_after: int = Field(500, ge=1, le=1_000_000)
    """Pictures after which a decode worker is replaced."""

    require_sandbox: bool = False
    """Do not start where the kernel offers no complete sandbox for decode workers."""

    gate_rules: Annotated[dict[str, Action], NoDecode] = Field(default_factory=dict)
    """Comma-separated `rule=action` pairs that change what a rule of the gate does: `off`,
    `record`, `flag` or `refuse`. docs/gate.md lists the rules and what they do by default."""

    min_grey_entropy: float = Field(0.5, ge=0, le=5.6, allow_inf_nan=False)
    """A picture below this grey-level entropy in nats is blank."""

    max_flat_share: float = Field(0.98, ge=0, le=1, allow_inf_nan=False)
    """A picture with a larger share of tiles without contrast is drawn."""

    max_high_frequency_share: float = Field(0.6, ge=0, le=1, allow_inf_nan=False)
    """A picture with a larger share of energy above half the Nyquist frequency is noise."""

    max_concurrency: int = Field(default_factory=default_concurrency, ge=1, le=256)
    """Pictures that are worked on at the same time; each gets its share of the cores."""

    max_queue: int = Field(32, ge=0, le=10_000)
    """Further uploads that are read or wait; more are answered 503 before they are read."""

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

    cache_bytes: int = Field(0, ge=0, le=64_000_000_000)
    """Memory for what passed pictures hold, so that the same bytes are parsed once; 0 turns this
    off. An answer that comes faster tells that somebody sent the same file before."""

    min_skin_share: float | None = Field(None, ge=0, le=1)
    """Below this share of skin a person is found odd. Default: as learnt with the model's baseline,
    0.01 without one."""

    max_trousers_gap: float | None = Field(None, ge=0, le=1)
    """Largest normal gap between trousers and feet, in body heights. Default: as learnt with the
    model's baseline, 0.06 without one."""

    min_hair_share: float | None = Field(None, gt=0, le=1)
    """A person with this share of hair and no face is recorded as odd. Default: as learnt with the
    model's baseline, 0.02 without one."""

    ensemble: EnsembleMode = EnsembleMode.SUSPICIOUS
    """Which parses are looked at again, changed at random: `always` all, `suspicious` those that
    look odd and a sample, `sampled` a sample, `never` none."""

    ensemble_members: int = Field(5, ge=2, le=32)
    """Randomly changed looks that are averaged."""

    ensemble_scale: float | None = Field(None, ge=0.25, le=1, allow_inf_nan=False)
    """Linear size of the looks, over that of the parse; half of it costs a quarter."""

    ensemble_sample_share: float = Field(0.05, ge=0, le=1, allow_inf_nan=False)
    """Share of the parses that are looked at in full although nothing is odd: what is normal is
    learnt from them."""

    ensemble_max_entropy: float = Field(1.0, ge=0, le=5.6, allow_inf_nan=False)
    """A parse with a higher mean entropy on the foreground, in nats, looks odd."""

    ensemble_squeezes: bool = True
    """Five further looks at odd and sampled parses: JPEG, median, bit depth, rescale, mirror."""

    ensemble_patches: bool = True
    """Two further looks at odd and sampled parses: overlapping crops, which are compared."""

    ensemble_tiles: bool = True
    """Eight to sixteen further looks at odd and sampled parses, with a part of the picture hidden
    or moved: they find a trigger that makes something vanish."""

    max_trigger_score: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    """A picture with a higher score is suspected to carry a trigger: the share of a part that comes
    back when a tile is hidden, times the share of that which vanishes again when it is moved.
    Default: 0.07 for the reference segmenter, which 0.5 % of clean pictures reach; 0.3 for `m2fp`,
    which is a guess."""

    ensemble_budget: float = Field(0.25, ge=0, le=1, allow_inf_nan=False)
    """Share of the time of all turns that ensembles may take for long; further ones are not run."""

    ensemble_max_ms: float = Field(10_000, ge=1, le=600_000, allow_inf_nan=False)
    """An ensemble that is expected to take longer is cut or not run."""

    baseline: Path | None = None
    """What clean pictures look like to the model, from `maskwatch baseline`; or the shipped one."""

    false_positive_rate: float = Field(0.005, gt=0, le=0.1, allow_inf_nan=False)
    """Share of clean pictures that may be called made to mislead, by the baseline's calibration."""

    probing_score: float = Field(12, ge=1, le=60, allow_inf_nan=False)
    """A picture is a query of a search if its score is higher: how many recent pictures differ from
    it as queries do."""

    fingerprint_salt: SecretStr | None = Field(None, min_length=16)
    """Secret that fingerprints are taken with; default: made once in `var_dir`. Services that share
    a database must share it."""

    evidence_sample_share: float = Field(0.02, ge=0, le=1)
    """Share of passed requests whose downscaled, pixelated picture is kept; flagged ones always."""

    @field_validator("trusted_proxies", "picture_types", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_list(value)

    @field_validator("gate_rules", mode="before")
    @classmethod
    def _read_actions(cls, value: object) -> object:
        return parse_actions(value) if isinstance(value, str) else value

    def digest(self) -> str:
        """Hash of all settings that an answer may depend on; secrets and places are left out."""
        said = self.model_dump_json(exclude={"database_url", "var_dir", "fingerprint_salt"})
        return sha256(said.encode()).hexdigest()

    def gate_limits(self) -> GateLimits:
        """What the gate takes."""
        inputs = InputLimits(
            self.min_grey_entropy, self.max_flat_share, self.max_high_frequency_share
        )
        return GateLimits(
            self.max_upload_bytes, self.picture_types, inputs, GatePolicy(self.gate_rules)
        )

    def worker_limits(self) -> WorkerLimits:
        """What a decode worker may take."""
        picture = PictureLimits(
            max_pixels=self.max_pixels,
            min_side=self.min_side,
            max_side=self.max_side,
            max_ratio=self.max_ratio,
            max_frames=self.max_frames,
            max_metadata_bytes=self.max_metadata_bytes,
            max_profile_bytes=self.max_profile_bytes,
            max_expansion=self.max_expansion,
        )
        return WorkerLimits(
            max_upload_bytes=self.max_upload_bytes,
            memory_bytes=self.decode_memory_bytes,
            wall_seconds=self.decode_seconds,
            max_orders=self.decode_recycle_after,
            picture=picture,
        )

    def topology_limits(self, learnt: TopologyLimits) -> TopologyLimits:
        """The limits of the topology rules: those that are set, else those that were learnt."""
        told = {name: getattr(self, name) for name in learnt.learnt()}
        return replace(learnt, **{name: each for name, each in told.items() if each is not None})

    def probing_limits(self) -> ProbingLimits:
        """Where searches begin."""
        return ProbingLimits(max_score=self.probing_score)

    def ensemble_policy(self) -> EnsemblePolicy:
        """Which requests get an ensemble."""
        return EnsemblePolicy(self.ensemble, self.ensemble_sample_share, self.ensemble_max_entropy)

    def ensemble_recipe(self) -> Recipe:
        """What a full ensemble looks at."""
        return Recipe(
            self.ensemble_members,
            self.ensemble_scale or self.segmenter.look_scale,
            self.ensemble_squeezes,
            self.ensemble_patches,
            self._tile_recipe(),
        )

    def _tile_recipe(self) -> TileRecipe | None:
        if not self.ensemble_tiles:
            return None
        told, usual = self.max_trigger_score, self.segmenter.max_trigger_score
        return TileRecipe(
            scale=self.segmenter.tile_scale, max_score=usual if told is None else told
        )
