"""The gate: from bytes to a measured picture, or to a refusal."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from detectors.findings import Finding
from detectors.parsing import Image
from detectors.picture.input_features import input_features
from detectors.picture.input_rules import PIXEL_RULES, InputLimits, input_findings
from detectors.rule_book import GATE_RULES, NAME_MISMATCH, TYPE_MISMATCH, find_rule
from inference.gate.faces import FaceFinder, FacePrior
from inference.gate.media import MediaType, declares_otherwise, detect, names_otherwise
from inference.gate.policy import Action, GatePolicy
from inference.gate.refusals import EMPTY_UPLOAD, UNSUPPORTED_TYPE, refusal_named
from inference.gate.sandbox.pool import DecoderPool
from inference.gate.sandbox.wire import Reply
from inference.refusals import TOO_MANY_BYTES, Refusal
from inference.upload import Upload

DEFAULT_TYPES = (MediaType.JPEG, MediaType.PNG, MediaType.WEBP)
_GATE_CODES = {rule.code for rule in GATE_RULES}


@dataclass(frozen=True)
class InFile:
    """How a picture lies in its file: what a service sees that does not turn it upright.

    Attributes:
        height: pixels, before it was turned or made smaller.
        width: likewise.
        orientation: as EXIF numbers it, 1 to 8; 1 is upright.
    """

    height: int
    width: int
    orientation: int = 1


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture as it came out of its worker.

    Attributes:
        image: RGB ``(H, W, 3)`` uint8, upright, in sRGB.
        findings: what was odd about the file.
        decode_ms: milliseconds of the worker's work.
        peak_bytes: most memory that the worker had in use meanwhile.
    """

    image: Image
    media_type: MediaType
    findings: tuple[Finding, ...]
    decode_ms: float
    peak_bytes: int
    in_file: InFile

    def costs(self) -> dict[str, float]:
        """The cost features of decoding."""
        return {"decode_ms": self.decode_ms, "decode_peak_mb": self.peak_bytes / 1e6}


@dataclass(frozen=True, eq=False)
class Screened:
    """A picture that came through the gate, with what was measured there.

    Attributes:
        faces: not asked yet: that costs more than everything else that is measured.
        is_measured: false while features and findings about the pixels are missing.
    """

    decoded: Decoded
    faces: FacePrior
    features: dict[str, float]
    findings: tuple[Finding, ...]
    is_measured: bool = True

    @property
    def image(self) -> Image:
        """The picture ``(H, W, 3)`` uint8."""
        return self.decoded.image

    @property
    def media_type(self) -> MediaType:
        """Its type by content."""
        return self.decoded.media_type


@dataclass(frozen=True)
class GateLimits:
    """What the gate takes, apart from what the decoder itself bounds."""

    max_bytes: int
    types: tuple[MediaType, ...] = DEFAULT_TYPES
    inputs: InputLimits = field(default_factory=InputLimits)
    policy: GatePolicy = field(default_factory=GatePolicy)


class Gate:
    """Checks, decodes and measures uploads."""

    def __init__(self, limits: GateLimits, decoder: DecoderPool, faces: FaceFinder) -> None:
        self._limits = limits
        self._decoder = decoder
        self._faces = faces

    def compare(self, upload: Upload) -> tuple[Finding, ...] | Refusal:
        """Hold what a client says about its upload against the first bytes."""
        return self._limits.policy.apply(_find_contradictions(upload))

    def screen(self, data: bytes) -> Screened | Refusal:
        """Take an upload apart: content type, structure, size, pixels, measures, rules."""
        decoded = self.decode(data)
        return decoded if isinstance(decoded, Refusal) else self.measure(decoded, len(data))

    def decode(self, data: bytes) -> Decoded | Refusal:
        """The picture, decoded in a sandbox."""
        if not data:
            return EMPTY_UPLOAD
        if len(data) > self._limits.max_bytes:
            return TOO_MANY_BYTES
        media_type = detect(data)
        if media_type not in self._limits.types:
            return UNSUPPORTED_TYPE
        reply, image = self._decoder.decode(data, media_type)
        if image is None:
            return refusal_named(reply.refusal)
        findings = self._limits.policy.apply(_findings(reply))
        if isinstance(findings, Refusal):
            return findings
        return Decoded(
            image=image,
            media_type=media_type,
            findings=findings,
            decode_ms=reply.decode_ms,
            peak_bytes=reply.peak_bytes,
            in_file=InFile(reply.file_height, reply.file_width, reply.orientation),
        )

    def measure(self, decoded: Decoded, upload_bytes: int) -> Screened | Refusal:
        """Measure the pixels and judge by the rules of the gate."""
        features = input_features(decoded.image, upload_bytes)
        odd = input_findings(features, self._limits.inputs)
        findings = self._limits.policy.apply(odd)
        if isinstance(findings, Refusal):
            return findings
        faces = self._faces.prior_of(decoded.image)
        return Screened(decoded, faces, features, (*decoded.findings, *findings))

    @property
    def refuses_by_pixels(self) -> bool:
        """Whether a picture may be refused for what is measured, and not in decoding alone."""
        policy = self._limits.policy
        return any(policy.action(rule.code) is Action.REFUSE for rule in PIXEL_RULES)

    def postpone(self, decoded: Decoded) -> Screened:
        """A picture that is to be measured later."""
        faces = self._faces.prior_of(decoded.image)
        return Screened(decoded, faces, {}, decoded.findings, is_measured=False)

    def complete(self, screening: Screened, upload_bytes: int) -> Screened:
        """Measure a picture that was postponed.

        Raises:
            RuntimeError: its pixels refuse it, so it was not to be postponed.
        """
        measured = self.measure(screening.decoded, upload_bytes)
        if isinstance(measured, Refusal):
            raise RuntimeError("A picture was postponed that its pixels refuse.")  # noqa: TRY004
        return measured

    def close(self) -> None:
        """End the decode workers."""
        self._decoder.close()


def _findings(reply: Reply) -> tuple[Finding, ...]:
    """Signs that are rules of ours; a worker that was taken over may invent others."""
    return tuple(
        Finding(find_rule(code), numbers)
        for code, numbers in reply.signs.items()
        if code in _GATE_CODES
    )


def _find_contradictions(upload: Upload) -> Iterator[Finding]:
    media_type = detect(upload.data)
    if media_type is None:
        return
    if declares_otherwise(upload.declared_type, media_type):
        yield Finding(TYPE_MISMATCH)
    if names_otherwise(upload.file_name, media_type):
        yield Finding(NAME_MISMATCH)
