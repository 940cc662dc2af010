"""Every colour mode to RGB 8-bit in sRGB, by stated rules.

- Transparent pixels are laid on white.
- 16-bit greys keep their upper 8 bits; other deep or floating-point pictures have no stated range
  and are refused.
- A colour profile that fits the picture is applied with relative colorimetric intent, unless it
  changes next to nothing, as sRGB itself does; what it says of itself does not matter. One that
  does not fit, or cannot be read, is left out, and that is said. Without a profile RGB counts as
  sRGB, and CMYK is converted by the plain formula.
- Of a profile its tables, curves and matrices count, and not its programs of any number of steps:
  browsers pass over them, and a kilobyte of them may cost minutes.
"""

from functools import lru_cache
from io import BytesIO

from PIL import Image as Pillow
from PIL import ImageChops, ImageCms, ImageMath

from inference.gate.decoder.limits import PictureLimits, Unacceptable

_SRGB = ImageCms.createProfile("sRGB")
# Profile colour spaces by the modes that they can be applied to.
_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_UNSEEN_LEVELS = 2
# To change the colour of a pixel takes several times as long as to decode one that hardly any byte
# stands for.
_TIMES_AS_COSTLY = 6
# Tags of a profile: their number, then the name, the offset and the length of each.
_TAG_COUNT_START, _TAGS_START, _TAG_BYTES, _MAX_TAGS = 128, 132, 12, 100
# Chains of ``multiProcessElement``; the library would take them before any table.
_PROGRAM_TAGS = {b"D2B0", b"D2B1", b"D2B2", b"D2B3"}
# Every level of each channel alone, and of grey: a profile of curves and a matrix can do nothing to
# other colours that does not show here.
_PROBE = Pillow.new("RGB", (256, 4))
_PROBE.putdata(
    [(n, 0, 0) for n in range(256)]
    + [(0, n, 0) for n in range(256)]
    + [(0, 0, n) for n in range(256)]
    + [(n, n, n) for n in range(256)]
)


def to_srgb(
    picture: Pillow.Image, limits: PictureLimits, file_bytes: int
) -> tuple[Pillow.Image, bool]:
    """The picture in mode ``RGB``, and whether it had a profile that could not be used.

    Raises:
        Unacceptable: the profile is too large, or for far more pixels than the file has bytes; or
            the mode has no rule.
    """
    profile = picture.info.get("icc_profile") or b""
    if len(profile) > limits.max_profile_bytes:
        raise Unacceptable("profile_too_large")
    plain = to_plain(picture)
    if not profile:
        return plain.convert("RGB") if plain.mode != "RGB" else plain, False
    try:
        transform = _transform(profile, plain.mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return plain.convert("RGB"), True
    if transform is None:
        return plain.convert("RGB"), False
    limits.check_expansion(plain.width * plain.height * 3, file_bytes // _TIMES_AS_COSTLY)
    return _apply(plain, transform)


def to_plain(picture: Pillow.Image) -> Pillow.Image:
    """One of the modes ``L``, ``RGB`` and ``CMYK``, without transparency.

    Raises:
        Unacceptable: its levels have no known range.
    """
    if picture.mode.startswith("I;16"):
        return _from_16_bits(picture)
    if picture.mode in {"I", "F"}:
        raise Unacceptable("unreadable")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        ground = Pillow.new("RGB", layer.size, "white")
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    if picture.mode in {"L", "RGB", "CMYK"}:
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _from_16_bits(picture: Pillow.Image) -> Pillow.Image:
    grey = picture.point(lambda level: level * (1 / 256)).convert("L")
    clear = picture.info.get("transparency")
    if not isinstance(clear, int):
        return grey
    opaque = ImageMath.lambda_eval(
        lambda bands: bands["convert"]((bands["deep"] != clear) * 255, "L"),
        deep=picture.convert("I"),
    )
    return ImageChops.lighter(grey, ImageChops.invert(opaque))


def _apply(
    picture: Pillow.Image, transform: ImageCms.ImageCmsTransform
) -> tuple[Pillow.Image, bool]:
    try:
        return ImageCms.applyTransform(picture, transform) or picture, False
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture.convert("RGB"), True


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile to sRGB; ``None`` where a picture stays as it is.

    Raises:
        ImageCms.PyCMSError: the profile cannot be read.
        ValueError: it is made for other colours.
    """
    source = ImageCms.ImageCmsProfile(BytesIO(_without_programs(profile)))
    if source.profile.xcolor_space.strip() != _SPACES[mode]:
        raise ValueError("The profile is made for other colours.")
    transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB", _INTENT)
    if mode == "RGB" and _is_matrix(source) and _changes_nothing(transform):
        return None
    return transform


def _without_programs(profile: bytes) -> bytes:
    """The profile with other names for its programs, under which nobody looks for one.

    The library reads no profile of more tags, or that has one of them twice.
    """
    tags = bytearray(profile)
    count = int.from_bytes(tags[_TAG_COUNT_START:_TAGS_START])
    for number in range(min(count, _MAX_TAGS)):
        start = _TAGS_START + number * _TAG_BYTES
        if bytes(tags[start : start + 4]) in _PROGRAM_TAGS:
            tags[start : start + 1] = b"x"
    return bytes(tags)


def _is_matrix(source: ImageCms.ImageCmsProfile) -> bool:
    """Whether a profile is made of curves and a matrix; tables of colours may hide anything."""
    tables = source.profile.clut or {}
    return source.profile.is_matrix_shaper and not any(is_used for is_used, _, _ in tables.values())


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the probed colours come out at most two levels away."""
    colours = ImageCms.applyTransform(_PROBE, transform)
    differences = ImageChops.difference(_PROBE, colours or _PROBE).tobytes()
    return max(differences) <= _UNSEEN_LEVELS
