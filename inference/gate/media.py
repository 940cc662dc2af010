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
    AVIF = "image/avif"


PILLOW_FORMATS: dict[MediaType, str] = {
    MediaType.JPEG: "JPEG",
    MediaType.PNG: "PNG",
    MediaType.WEBP: "WEBP",
    MediaType.GIF: "GIF",
    MediaType.BMP: "BMP",
    MediaType.TIFF: "TIFF",
    MediaType.AVIF: "AVIF",
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
    "avif": MediaType.AVIF,
}

# Ends of names that a server or a desktop would not treat as a picture.
_NO_PICTURES = {
    *("asp", "aspx", "bat", "cgi", "cmd", "com", "css", "dll", "doc", "docx", "exe", "hta", "htm"),
    *("html", "jar", "js", "jsp", "mjs", "msi", "pdf", "phar", "php", "php3", "php5", "phtml"),
    *("pl", "ps1", "py", "rb", "scr", "sh", "shtml", "svg", "svgz", "swf", "vbs", "wasm"),
    *("xhtml", "xml", "zip"),
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
_AVIF_BRANDS, _MAX_BRANDS_BYTES = {b"avif", b"avis"}, 256
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
    if data[4:8] == b"ftyp" and _AVIF_BRANDS & _brands(data):
        return MediaType.AVIF
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _brands(data: bytes) -> set[bytes]:
    """What the first box of a file says that it can be read as (ISO/IEC 14496-12)."""
    end = min(int.from_bytes(data[:4]), _MAX_BRANDS_BYTES)
    return {data[8:12], *(data[place : place + 4] for place in range(16, end, 4))}


def declares_otherwise(declared_type: str | None, kind: MediaType) -> bool:
    """Whether a declared media type names another type than the content.

    >>> declares_otherwise("image/jpg; q=1", MediaType.JPEG)
    False
    """
    name = (declared_type or "").partition(";")[0].strip().lower()
    return name not in _UNDECLARED and _ALIASES.get(name, name) != kind.value


def names_otherwise(file_name: str | None, kind: MediaType) -> bool:
    """Whether a file name ends like a picture of another type, a document or a program.

    >>> [names_otherwise(name, MediaType.JPEG) for name in ("a.png", "a.php", "blob", "john.doe")]
    [True, True, False, False]
    """
    suffix = (file_name or "").rpartition(".")[2].lower() if "." in (file_name or "") else ""
    return suffix in _NO_PICTURES or _SUFFIXES.get(suffix, kind) is not kind
