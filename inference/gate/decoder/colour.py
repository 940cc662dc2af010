"""Every colour mode to RGB 8-bit in sRGB, by stated rules.

- Transparent pixels are laid on white.
- 16-bit greys keep their upper 8 bits; other deep or floating-point pictures have no stated range
  and are refused.
- A colour profile that fits the picture is applied with relative colorimetric intent; one that does
  not, or cannot be read, is left out, and that is said. Without a profile RGB counts as sRGB, and
  CMYK is converted by the plain formula.
"""

from io import BytesIO

from PIL import Image as Pillow
from PIL import ImageCms

from inference.gate.decoder.limits import PictureLimits, Unacceptable

_SRGB = ImageCms.createProfile("sRGB")
# Profile colour spaces by the modes that they can be applied to.
_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}


def to_srgb(picture: Pillow.Image, limits: PictureLimits) -> tuple[Pillow.Image, bool]:
    """The picture in mode ``RGB``, and whether it had a profile that could not be used.

    Raises:
        Unacceptable: the profile is too large, or the mode has no rule.
    """
    profile = picture.info.get("icc_profile") or b""
    if len(profile) > limits.max_profile_bytes:
        raise Unacceptable("profile_too_large")
    plain = _flat(picture)
    if not profile:
        return plain.convert("RGB") if plain.mode != "RGB" else plain, False
    return _profiled(plain, profile)


def _flat(picture: Pillow.Image) -> Pillow.Image:
    """One of the modes ``L``, ``RGB`` and ``CMYK``, without transparency."""
    if picture.mode.startswith("I;16"):
        return picture.point(lambda level: level * (1 / 256)).convert("L")
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


def _profiled(picture: Pillow.Image, profile: bytes) -> tuple[Pillow.Image, bool]:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[picture.mode]:
            return picture.convert("RGB"), True
        if picture.mode == "RGB" and "sRGB" in (source.profile.profile_description or ""):
            return picture, False
        converted = ImageCms.profileToProfile(
            picture,
            source,
            _SRGB,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture.convert("RGB"), True
    return converted or picture.convert("RGB"), False
