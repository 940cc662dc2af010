"""The type of a file by its first bytes. Names and declared types are never believed."""

from enum import StrEnum


class MediaType(StrEnum):
    """Picture types that Maskwatch decodes."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"


PILLOW_FORMATS: dict[MediaType, str] = {
    MediaType.JPEG: "JPEG",
    MediaType.PNG: "PNG",
    MediaType.WEBP: "WEBP",
}


def detect(data: bytes) -> MediaType | None:
    """The media type that the magic bytes name, or ``None``.

    >>> detect(b"GIF89a") is None
    True
    """
    if data.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return MediaType.WEBP
    return None
