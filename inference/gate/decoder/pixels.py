"""Decodes with Pillow: the first picture of a file, upright, in sRGB, without metadata."""

import warnings
from io import BytesIO

from PIL import Image as Pillow
from PIL import ImageFile, PngImagePlugin
from PIL.TiffImagePlugin import TiffImageFile

from inference.gate.decoder.colour import to_srgb
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.media import PILLOW_FORMATS, MediaType

# The limit is ours and is checked before decoding; Pillow's own is a warning at a fixed size.
Pillow.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False
# The same for text, which the walkers have bounded before.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY

_ORIENTATION = 0x0112
# Types without a walker of ours; to count their pictures takes the decoder.
_COUNTED_HERE = {MediaType.GIF, MediaType.TIFF}
_TURNS: dict[int, Pillow.Transpose] = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}


def decode(data: bytes, media_type: MediaType, limits: PictureLimits) -> tuple[Pillow.Image, bool]:
    """The picture in mode ``RGB``, and whether it had a colour profile that could not be used.

    Raises:
        Unacceptable: why there is no picture.
        MemoryError: it takes more memory than the process may have.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            return _decode(data, media_type, limits)
    except (Unacceptable, MemoryError):
        raise
    except (OSError, EOFError) as error:
        truncated = isinstance(error, EOFError) or "truncated" in str(error).lower()
        raise Unacceptable("truncated" if truncated else "unreadable") from None
    except Exception:  # noqa: BLE001 - decoders raise nearly anything on hostile bytes
        raise Unacceptable("unreadable") from None


def _decode(data: bytes, media_type: MediaType, limits: PictureLimits) -> tuple[Pillow.Image, bool]:
    with Pillow.open(BytesIO(data), formats=[PILLOW_FORMATS[media_type]]) as picture:
        limits.check(picture.width, picture.height, len(data))
        if media_type in _COUNTED_HERE and getattr(picture, "n_frames", 1) > limits.max_frames:
            raise Unacceptable("too_many_frames")
        picture.load()
        rgb, profile_unusable = to_srgb(picture, limits)
        turn = _turn(picture)
        return (rgb.transpose(turn) if turn is not None else rgb), profile_unusable


def _turn(picture: Pillow.Image) -> Pillow.Transpose | None:
    """How the picture has to be turned to stand upright; damaged Exif data say nothing.

    Only Exif counts, as in browsers: the model has to see what people see.
    """
    try:
        return _TURNS.get(_exif(picture).get(_ORIENTATION, 1))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - parsed by the decoder from hostile bytes
        return None


def _exif(picture: Pillow.Image) -> Pillow.Exif:
    if isinstance(picture, TiffImageFile):
        return picture.getexif()
    # Pillow's own way falls back to XMP.
    exif = Pillow.Exif()
    exif.load(picture.info.get("exif", b""))
    return exif
