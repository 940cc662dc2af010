"""The type of a file by its first bytes. Names and declared types are never believed."""

from enum import StrEnum


class MediaType(StrEnum):
    """Picture types that Maskwatch can decode; the settings say which of them it takes."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    GIF = "image/gif"
    BMP = "image/bmp"
    TIFF = "image/tiff"


PILLOW_FORMATS: dict[MediaType, str] = {
    MediaType.JPEG: "JPEG",
    MediaType.PNG: "PNG",
    MediaType.WEBP: "WEBP",
    MediaType.GIF: "GIF",
    MediaType.BMP: "BMP",
    MediaType.TIFF: "TIFF",
}

_SUFFIXES: dict[str, MediaType] = {
    "jpg": MediaType.JPEG,
    "jpeg": MediaType.JPEG,
    "jpe": MediaType.JPEG,
    "jfif": MediaType.JPEG,
    "mpo": MediaType.JPEG,
    "png": MediaType.PNG,
    "apng": MediaType.PNG,
    "webp": MediaType.WEBP,
    "gif": MediaType.GIF,
    "bmp": MediaType.BMP,
    "tif": MediaType.TIFF,
    "tiff": MediaType.TIFF,
}

_MAGIC: tuple[tuple[bytes, MediaType], ...] = (
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
    (b"GIF87a", MediaType.GIF),
    (b"GIF89a", MediaType.GIF),
    (b"BM", MediaType.BMP),
    (b"II*\0", MediaType.TIFF),
    (b"MM\0*", MediaType.TIFF),
)
# What clients declare when they do not know, and old names of types that they do know.
_UNDECLARED = {"", "application/octet-stream"}
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}


def detect(data: bytes) -> MediaType | None:
    """The media type that the magic bytes name, or ``None``.

    >>> detect(b"GIF89a and so on")
    <MediaType.GIF: 'image/gif'>
    >>> detect(b"<svg>") is None
    True
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return MediaType.WEBP
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def declares_otherwise(declared: str | None, found: MediaType) -> bool:
    """Whether a declared media type names another type than the content.

    >>> declares_otherwise("image/jpg; q=1", MediaType.JPEG)
    False
    """
    named = (declared or "").partition(";")[0].strip().lower()
    return named not in _UNDECLARED and _ALIASES.get(named, named) != found.value


def named_otherwise(file_name: str | None, found: MediaType) -> bool:
    """Whether a file name ends like a picture or program of another type; none is no statement.

    >>> named_otherwise("holiday.png", MediaType.JPEG), named_otherwise("blob", MediaType.JPEG)
    (True, False)
    """
    _, dot, suffix = (file_name or "").rpartition(".")
    return bool(dot) and _SUFFIXES.get(suffix.lower()) is not found
