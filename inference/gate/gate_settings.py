"""Settings of the gate and of its decode workers."""

from collections.abc import Mapping

from pydantic import Field, ValidationInfo, field_validator

from detectors.picture.input_rules import InputLimits
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import MediaType
from inference.gate.policy import Action, GatePolicy, check_actions, parse_actions
from inference.gate.sandbox.process import WorkerLimits
from inference.gate.screen import DEFAULT_TYPES, GateLimits
from store.configuration.comma_lists import CommaList
from store.configuration.groups import Group


class GateGroup(Group):
    """What the gate takes, and what decode workers may use."""

    max_upload_bytes: int = Field(32_000_000, ge=1_000, le=1_000_000_000)
    """Largest file that is read; a longer upload is cut off."""

    picture_types: CommaList[MediaType] = Field(DEFAULT_TYPES, min_length=1)
    """Comma-separated types that are taken, by content: also `image/avif`, which some phones write,
    `image/gif`, `image/bmp` and `image/tiff`."""

    picture_fields: CommaList[str] = Field(
        ("file", "image", "img", "upload", "files[]"), min_length=1
    )
    """Comma-separated names of the field that holds the picture, in a form or in JSON."""

    max_pixels: int = Field(66_000_000, ge=1_000, le=400_000_000)
    """Most pixels a picture may have, checked in its header before anything is decoded."""

    max_decoded_pixels: int = Field(25_000_000, ge=100_000, le=400_000_000)
    """Most pixels of a picture that are looked at: the sides of a larger one are divided by 2, 4 or
    more while it is decoded, and the answer has that size."""

    min_side: int = Field(8, ge=1, le=1_000)
    """Shortest side in pixels that is worth parsing."""

    max_side: int = Field(16_384, ge=64, le=65_535)
    """Longest side in pixels, checked in the header."""

    max_ratio: float = Field(20.0, ge=1, le=65_535, allow_inf_nan=False)
    """Longest side over shortest side, checked in the header."""

    max_frames: int = Field(256, ge=1, le=1_000_000)
    """Pictures in one file; only the first is decoded."""

    max_metadata_bytes: int = Field(20_000_000, ge=0, le=1_000_000_000)
    """Exif, XMP, comments and the like, after they are unpacked."""

    max_unpacked_bytes: int = Field(4_000_000, ge=0, le=1_000_000_000)
    """What of them is stored packed, as some texts of PNG files are, after it is unpacked."""

    max_profile_bytes: int = Field(4_000_000, ge=0, le=1_000_000_000)
    """Colour profile, after it is unpacked."""

    max_expansion: float = Field(500.0, ge=1, allow_inf_nan=False)
    """Decoded bytes for each uploaded byte, for pictures that decode to more than 16 MB; a
    third of that for types other than JPEG, and a sixth where a colour profile is applied."""

    decode_seconds: float = Field(5.0, gt=0, le=300, allow_inf_nan=False)
    """Longest time for one picture in a decode worker, which is killed after it."""

    decode_memory_bytes: int = Field(768_000_000, ge=64_000_000, le=64_000_000_000)
    """Memory that a decode worker may take for one picture; one of `MASKWATCH_MAX_DECODED_PIXELS`
    needs about fifteen bytes a pixel."""

    decode_recycle_after: int = Field(500, ge=1, le=1_000_000)
    """Pictures after which a decode worker is replaced."""

    require_sandbox: bool = False
    """Do not start where the kernel offers no complete sandbox for decode workers."""

    gate_rules: dict[str, Action] = Field(default_factory=dict)
    """Comma-separated `rule=action` pairs that change what a rule of the gate does: `off`,
    `record`, `flag` or `refuse`. docs/gate.md lists the rules and what they do by default."""

    min_grey_entropy: float = Field(0.5, ge=0, le=5.6, allow_inf_nan=False)
    """A picture below this grey-level entropy in nats is blank."""

    max_flat_share: float = Field(0.98, ge=0, le=1, allow_inf_nan=False)
    """A picture with a larger share of tiles without contrast is drawn."""

    max_high_frequency_share: float = Field(0.6, ge=0, le=1, allow_inf_nan=False)
    """A picture with a larger share of energy above half the Nyquist frequency is noise."""

    @field_validator("max_side")
    @classmethod
    def _longest_is_above_shortest(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("min_side", 0):
            raise ValueError("it must not be below MASKWATCH_MIN_SIDE: no picture would be taken")
        return value

    @field_validator("gate_rules", mode="before")
    @classmethod
    def _read_actions(cls, value: object) -> object:
        if isinstance(value, list):
            value = ",".join(map(str, value))
        if isinstance(value, str):
            return parse_actions(value)
        return check_actions(value) if isinstance(value, Mapping) else value

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
            max_decoded_pixels=self.max_decoded_pixels,
            min_side=self.min_side,
            max_side=self.max_side,
            max_ratio=self.max_ratio,
            max_frames=self.max_frames,
            max_metadata_bytes=self.max_metadata_bytes,
            max_unpacked_bytes=self.max_unpacked_bytes,
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
