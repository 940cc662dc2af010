"""Decodes with Pillow: the first picture of a file, upright, in sRGB, without metadata."""

import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import AvifImagePlugin, ImageFile, PngImagePlugin
from PIL import Image as Pillow
from PIL.TiffImagePlugin import TiffImageFile

from inference.gate.decoder.colour import to_plain, to_srgb
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.media import PILLOW_FORMATS, MediaType

# The limit is ours and is checked before decoding; Pillow's own is a warning at a fixed size.
Pillow.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False
# The same for text, which the walkers have bounded before.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
# A worker has no other threads.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

_ORIENTATION = 0x0112
# Other types than JPEG are decoded pixel by pixel, however little a file holds.
_TIMES_AS_COSTLY = 3
# Types without a walker of ours; to count their pictures takes the decoder.
_COUNTED_HERE = {MediaType.GIF, MediaType.TIFF, MediaType.AVIF}
_TURNS: dict[int, Pillow.Transpose] = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
# The others undo themselves.
_TURNS_BACK = {
    Pillow.Transpose.ROTATE_90: Pillow.Transpose.ROTATE_270,
    Pillow.Transpose.ROTATE_270: Pillow.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Pixels:
    """A decoded picture.

    Attributes:
        picture: in mode ``RGB``.
        profile_unusable: whether it had a colour profile that could not be used.
        exif_unusable: whether it had Exif data that could not be read.
        file_size: width and height in the file, in pixels.
        times_smaller: by how much both of its sides were divided.
        turn: how it was turned to stand upright.
    """

    picture: Pillow.Image
    profile_unusable: bool
    exif_unusable: bool
    file_size: tuple[int, int]
    times_smaller: int
    turn: Pillow.Transpose | None

    @property
    def orientation(self) -> int:
        """How it lay in the file, as EXIF numbers it: 1 if it was upright."""
        return next((number for number, turn in _TURNS.items() if turn == self.turn), 1)

    def turn_back(self, upright: Pillow.Image) -> Pillow.Image:
        """A picture of the same size, as it would lie in the file."""
        if self.turn is None:
            return upright
        return upright.transpose(_TURNS_BACK.get(self.turn, self.turn))


def decode(data: bytes, media_type: MediaType, limits: PictureLimits) -> Pixels:
    """The first picture of a file, made smaller if it has more pixels than are handed on.

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
        is_truncated = isinstance(error, EOFError) or "truncated" in str(error).lower()
        raise Unacceptable("truncated" if is_truncated else "unreadable") from None
    except Exception:  # noqa: BLE001 - decoders raise nearly anything on hostile bytes
        raise Unacceptable("unreadable") from None


def _decode(data: bytes, media_type: MediaType, limits: PictureLimits) -> Pixels:
    with Pillow.open(BytesIO(data), formats=[PILLOW_FORMATS[media_type]]) as picture:
        size = picture.size
        limits.check(*size, len(data))
        if media_type is not MediaType.JPEG:
            limits.check_expansion(size[0] * size[1] * 3, len(data) // _TIMES_AS_COSTLY)
        if media_type in _COUNTED_HERE and getattr(picture, "n_frames", 1) > limits.max_frames:
            raise Unacceptable("too_many_frames")
        times = limits.times_smaller(picture.width, picture.height)
        if times > 1:
            # Only for camera pictures: their decoder leaves out what a smaller one does not need.
            picture.draft(None, (picture.width // times, picture.height // times))
        picture.load()
        rgb, profile_unusable = to_srgb(_reduce(picture, limits), limits, len(data))
        turn, exif_unusable = _turn(picture)
        upright = rgb.transpose(turn) if turn is not None else rgb
        return Pixels(upright, profile_unusable, exif_unusable, size, times, turn)


def _reduce(picture: Pillow.Image, limits: PictureLimits) -> Pillow.Image:
    """The picture, made smaller as far as its decoder has not done so."""
    times = limits.times_smaller(picture.width, picture.height)
    if times == 1:
        return picture
    smaller = to_plain(picture).reduce(times)
    smaller.info = {"icc_profile": picture.info.get("icc_profile") or b""}
    return smaller


def _turn(picture: Pillow.Image) -> tuple[Pillow.Transpose | None, bool]:
    """How the picture has to be turned to stand upright, and whether damaged Exif data hide that.

    Only Exif counts, as in browsers: the model has to see what people see.
    """
    try:
        return _TURNS.get(_exif(picture).get(_ORIENTATION, 1)), False
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - parsed by the decoder from hostile bytes
        return None, True


def _exif(picture: Pillow.Image) -> Pillow.Exif:
    if isinstance(picture, TiffImageFile):
        return picture.getexif()
    # Pillow's own way falls back to XMP.
    exif = Pillow.Exif()
    exif.load(picture.info.get("exif", b""))
    return exif
