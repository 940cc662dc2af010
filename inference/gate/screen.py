"""The gate: from bytes to a measured picture, or to a refusal."""

from dataclasses import dataclass

from detectors.findings import TYPE_MISMATCH, Finding
from detectors.input_features import input_features
from detectors.parsing import Image
from inference.gate.decode import SizeLimits, decode
from inference.gate.faces import FaceBox, FaceFinder
from inference.gate.media import MediaType, detect
from inference.refusals import EMPTY_UPLOAD, TOO_MANY_BYTES, UNSUPPORTED_TYPE, Refusal

# What clients declare when they do not know.
_UNDECLARED = {None, "", "application/octet-stream"}


@dataclass(frozen=True, eq=False)
class Screened:
    """A picture that came through the gate, with what was measured there."""

    image: Image
    media_type: MediaType
    faces: tuple[FaceBox, ...]
    features: dict[str, float]
    findings: tuple[Finding, ...]


class Gate:
    """Checks, decodes and measures uploads."""

    def __init__(self, max_bytes: int, limits: SizeLimits, faces: FaceFinder) -> None:
        self._max_bytes = max_bytes
        self._limits = limits
        self._faces = faces

    def screen(self, data: bytes, declared_type: str | None) -> Screened | Refusal:
        """Take an upload apart: content type, size, pixels, measures."""
        if not data:
            return EMPTY_UPLOAD
        if len(data) > self._max_bytes:
            return TOO_MANY_BYTES
        media_type = detect(data)
        if media_type is None:
            return UNSUPPORTED_TYPE
        image = decode(data, media_type, self._limits)
        if isinstance(image, Refusal):
            return image
        faces = self._faces.find(image)
        features = input_features(image, len(data)) | {"faces_found": float(len(faces))}
        return Screened(image, media_type, faces, features, _compare(media_type, declared_type))


def _compare(media_type: MediaType, declared: str | None) -> tuple[Finding, ...]:
    named = (declared or "").partition(";")[0].strip().lower()
    if named in _UNDECLARED or named.replace("image/jpg", "image/jpeg") == media_type.value:
        return ()
    return (Finding(TYPE_MISMATCH),)
