"""Kinds of files that phones and browsers send, and what becomes of them. The tests send each."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image as Pillow

from detectors.findings import Rule
from detectors.rule_book import SEVERAL_FRAMES
from inference.gate.media import MediaType
from inference.gate.refusals import UNSUPPORTED_TYPE
from inference.refusals import Refusal

_HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@dataclass(frozen=True)
class FileKind:
    """One kind of file.

    Attributes:
        client: who sends it.
        name: what it is.
        write: makes such a file of a picture; of HEIC only what the type is told by.
        refusal: by the default settings; ``None`` if it is parsed.
        signs: rules of the gate that are recorded where it is parsed.
        switch: the type that an operator adds to have it parsed.
    """

    client: str
    name: str
    write: Callable[[Pillow.Image], bytes]
    refusal: Refusal | None = None
    signs: tuple[Rule, ...] = ()
    switch: MediaType | None = None


def _save(kind: str, mode: str = "RGB", **options: object) -> Callable[[Pillow.Image], bytes]:
    def write(picture: Pillow.Image) -> bytes:
        buffer = BytesIO()
        picture.convert(mode).save(buffer, kind, **options)
        return buffer.getvalue()

    return write


def _save_two_views(picture: Pillow.Image) -> bytes:
    """The second view is smaller and grey, as a gain map is."""
    buffer = BytesIO()
    second = picture.convert("L").reduce(2)
    picture.save(buffer, "MPO", save_all=True, append_images=[second])
    return buffer.getvalue()


def _write_heic_head(picture: Pillow.Image) -> bytes:
    return _HEIC_HEAD + picture.tobytes()


FILE_KINDS: tuple[FileKind, ...] = (
    FileKind("phones, cameras, browsers", "JPEG", _save("JPEG")),
    FileKind(
        "pages and tools that save for the web", "JPEG in passes", _save("JPEG", progressive=1)
    ),
    FileKind(
        "iPhones set to *Most Compatible*, Android's Ultra HDR, cameras with two lenses",
        "JPEG with a gain map or a second view behind it (MPF, MPO); the first picture is parsed",
        _save_two_views,
        signs=(SEVERAL_FRAMES,),
    ),
    FileKind("screenshots", "PNG", _save("PNG")),
    FileKind("screenshots, cut-outs", "PNG with transparency", _save("PNG", "RGBA")),
    FileKind("messengers, browsers' canvas", "WebP", _save("WEBP")),
    FileKind("browsers' canvas, editors", "WebP without loss", _save("WEBP", lossless=True)),
    FileKind("some Android phones", "AVIF", _save("AVIF"), UNSUPPORTED_TYPE, switch=MediaType.AVIF),
    FileKind("iPhones by default", "HEIC", _write_heic_head, UNSUPPORTED_TYPE),
)
