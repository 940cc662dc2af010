"""The stated colour rules, with exact values where the rule gives some."""

import struct
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from inference.gate.decoder.colour import to_srgb
from inference.gate.decoder.limits import PictureLimits, Unacceptable

LIMITS = PictureLimits()
FILE_BYTES = 1_000
# Of Adobe RGB (1998), adapted to D50.
WIDE = {
    b"rXYZ": (0.60974, 0.31111, 0.01947),
    b"gXYZ": (0.20528, 0.62567, 0.06087),
    b"bXYZ": (0.14919, 0.06322, 0.74457),
}
Pixels = npt.NDArray[np.uint8]
Pixels16 = npt.NDArray[np.uint16]


def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _wide_profile(name: str = "wide") -> bytes:
    """The sRGB profile with other primaries under another name."""
    data = bytearray(_srgb_profile())
    for index in range(struct.unpack(">I", data[128:132])[0]):
        tag, start, _ = struct.unpack(">4sII", data[132 + 12 * index : 144 + 12 * index])
        if tag in WIDE:
            numbers = (round(65_536 * value) for value in WIDE[tag])
            data[start + 8 : start + 20] = struct.pack(">3i", *numbers)
    return bytes(data).replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))


def _curved_profile(curve: Pixels16) -> bytes:
    """The sRGB profile with another curve from levels to light, the same for each colour."""
    old = _srgb_profile()
    count = struct.unpack(">I", old[128:132])[0]
    end = len(old) + -len(old) % 4
    tags = b""
    for index in range(count):
        tag, start, size = struct.unpack(">4sII", old[132 + 12 * index : 144 + 12 * index])
        if tag.endswith(b"TRC"):
            start, size = end, 12 + 2 * len(curve)
        tags += struct.pack(">4sII", tag, start, size)
    table = b"curv" + struct.pack(">II", 0, len(curve)) + curve.astype(">u2").tobytes()
    data = old[:132] + tags + old[132 + 12 * count :].ljust(end - 132 - 12 * count, b"\0") + table
    return struct.pack(">I", len(data)) + data[4:]


def _with_program(profile: bytes, intent: int, steps: int) -> bytes:
    """A profile with so many steps of ``multiProcessElement``, which make everything black."""
    step = struct.pack(">4sIHH12f", b"matf", 0, 3, 3, *[0.0] * 12)
    place = struct.pack(">II", 16 + 8 * steps, len(step))
    program = struct.pack(">4sIHHI", b"mpet", 0, 3, 3, steps) + place * steps + step
    count = struct.unpack(">I", profile[128:132])[0]
    tags, end = b"", len(profile) + 12
    for index in range(count):
        tag, start, size = struct.unpack(">4sII", profile[132 + 12 * index : 144 + 12 * index])
        tags += struct.pack(">4sII", tag, start + 12, size)
    tags += struct.pack(">4sII", b"D2B%d" % intent, end, len(program))
    version = struct.pack(">I", 0x04300000)
    head = struct.pack(">I", end + len(program)) + profile[4:8] + version + profile[12:128]
    return head + struct.pack(">I", count + 1) + tags + profile[132 + 12 * count :] + program


def _own_curve() -> Pixels16:
    """From the 256 levels of sRGB to light (IEC 61966-2-1)."""
    level = np.arange(256) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return np.round(65_535 * light).astype(np.uint16)


def _powered(exponent: float) -> Pixels16:
    return np.round(65_535 * (_own_curve() / 65_535) ** exponent).astype(np.uint16)


def _colours() -> Pillow.Image:
    return Pillow.fromarray(np.random.default_rng(3).integers(0, 256, (16, 24, 3), dtype=np.uint8))


def _with_profile(picture: Pillow.Image, profile: bytes) -> tuple[Pixels, bool]:
    picture.info["icc_profile"] = profile
    converted, unusable = to_srgb(picture, LIMITS, FILE_BYTES)
    assert converted.mode == "RGB"
    return np.asarray(converted), unusable


def _plain(picture: Pillow.Image) -> Pixels:
    converted, unusable = to_srgb(picture, LIMITS, FILE_BYTES)
    assert (converted.mode, unusable) == ("RGB", False)
    return np.asarray(converted)


def _directly(picture: Pillow.Image, profile: bytes) -> Pixels:
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        picture.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None
    return np.asarray(converted)


def test_plain_colours_are_left_alone() -> None:
    assert np.array_equal(_plain(_colours()), np.asarray(_colours()))


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127)),
        ("LA", (0, 0), (255, 255, 255)),
        ("LA", (90, 255), (90, 90, 90)),
        ("1", 1, (255, 255, 255)),
        ("1", 0, (0, 0, 0)),
        ("L", 77, (77, 77, 77)),
        ("CMYK", (0, 0, 0, 0), (255, 255, 255)),
        ("CMYK", (255, 0, 0, 0), (0, 255, 255)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("HSV", (0, 255, 255), (255, 0, 0)),
        ("YCbCr", (128, 128, 128), (128, 128, 128)),
    ],
)
def test_each_mode_has_its_rule(
    mode: str, colour: tuple[int, ...] | int, expected: tuple[int, ...]
) -> None:
    assert (_plain(Pillow.new(mode, (8, 8), colour)) == expected).all()


def test_a_palette_gives_its_colours_and_its_transparent_ones_white() -> None:
    picture = Pillow.new("P", (3, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    picture.putdata([0, 1, 2])
    assert _plain(picture)[0].tolist() == [[10, 20, 30], [40, 50, 60], [70, 80, 90]]
    picture.info["transparency"] = 1
    assert _plain(picture)[0].tolist() == [[10, 20, 30], [255, 255, 255], [70, 80, 90]]


@pytest.mark.parametrize(
    ("mode", "key"), [("RGB", (9, 9, 9)), ("L", 9), ("1", 0)], ids=["RGB", "L", "1"]
)
def test_a_transparent_colour_lies_on_white(mode: str, key: tuple[int, ...] | int) -> None:
    picture = Pillow.new(mode, (4, 4), key)
    picture.info["transparency"] = key
    assert (_plain(picture) == 255).all()


def test_deep_greys_keep_their_upper_eight_bits_exactly() -> None:
    levels = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    found = _plain(Pillow.fromarray(levels))
    assert np.array_equal(found, np.repeat((levels >> 8)[..., None], 3, axis=2))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_modes_without_a_stated_range_are_refused(mode: str) -> None:
    with pytest.raises(Unacceptable, match="unreadable"):
        to_srgb(Pillow.new(mode, (8, 8)), LIMITS, FILE_BYTES)


def test_an_srgb_profile_changes_nothing() -> None:
    found, unusable = _with_profile(_colours(), _srgb_profile())
    assert not unusable
    assert np.array_equal(found, np.asarray(_colours()))


def test_a_profile_that_changes_next_to_nothing_changes_nothing() -> None:
    profile = _curved_profile(_powered(1.01))
    assert (_directly(_colours(), profile) != np.asarray(_colours())).any()
    found, unusable = _with_profile(_colours(), profile)
    assert not unusable
    assert np.array_equal(found, np.asarray(_colours()))


@pytest.mark.parametrize("exponent", [0.9, 1.05, 1.5])
def test_a_profile_named_srgb_that_is_lighter_or_darker_is_applied(exponent: float) -> None:
    profile = _curved_profile(_powered(exponent))
    found, unusable = _with_profile(_colours(), profile)
    assert not unusable
    assert np.array_equal(found, _directly(_colours(), profile))
    assert not np.array_equal(found, np.asarray(_colours()))


def test_a_profile_that_bends_between_a_few_levels_is_applied() -> None:
    curve = _own_curve()
    bent = 65_535 - curve
    kept = [0, 36, 73, 109, 146, 182, 219, 255]
    bent[kept] = curve[kept]
    found, _ = _with_profile(_colours(), _curved_profile(bent))
    expected = _directly(_colours(), _curved_profile(bent))
    assert np.abs(found.astype(int) - expected).max() <= 2


def test_a_wide_profile_gives_the_colours_that_the_colour_engine_gives() -> None:
    found, unusable = _with_profile(_colours(), _wide_profile())
    assert not unusable
    assert np.array_equal(found, _directly(_colours(), _wide_profile()))


def test_a_wide_green_becomes_a_stronger_green() -> None:
    found, _ = _with_profile(Pillow.new("RGB", (4, 4), (90, 200, 90)), _wide_profile())
    red, green, blue = (int(level) for level in found[0, 0])
    assert red < 60
    assert green >= 200
    assert blue < 90


def test_a_wide_grey_stays_grey() -> None:
    found, _ = _with_profile(Pillow.new("RGB", (4, 4), (120, 120, 120)), _wide_profile())
    assert np.ptp(found[0, 0].astype(int)) <= 2


def test_a_profile_applies_behind_the_white_ground() -> None:
    found, unusable = _with_profile(Pillow.new("RGBA", (4, 4), (0, 0, 0, 0)), _wide_profile())
    assert not unusable
    assert (found >= 254).all()


def test_a_grey_profile_applies_to_grey_pictures(grey_profile: bytes) -> None:
    ramp = Pillow.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    expected = _directly(ramp, grey_profile)
    found, unusable = _with_profile(ramp, grey_profile)
    assert not unusable
    assert np.array_equal(found, expected)
    assert found[4, 0, 0] > 120  # a quarter of the light is about half the way in sRGB


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_a_grey_profile_on_a_coloured_picture_is_left_out_and_said(
    grey_profile: bytes, mode: str
) -> None:
    picture = _colours().convert(mode)
    expected = _plain(picture.copy())
    found, unusable = _with_profile(picture, grey_profile)
    assert unusable
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("mode", ["L", "1", "CMYK"])
def test_an_rgb_profile_on_other_modes_is_left_out_and_said(mode: str) -> None:
    _, unusable = _with_profile(_colours().convert(mode), _srgb_profile())
    assert unusable


@pytest.mark.parametrize("length", [1, 127, 128, 140, 200, 400])
def test_a_damaged_profile_is_left_out_and_said(length: int) -> None:
    found, unusable = _with_profile(_colours(), _wide_profile()[:length])
    assert unusable
    assert np.array_equal(found, np.asarray(_colours()))


def test_the_profile_is_bounded() -> None:
    profile = _srgb_profile()
    picture = _colours()
    picture.info["icc_profile"] = profile
    to_srgb(picture, PictureLimits(max_profile_bytes=len(profile)), FILE_BYTES)
    with pytest.raises(Unacceptable, match="profile_too_large"):
        to_srgb(picture, PictureLimits(max_profile_bytes=len(profile) - 1), FILE_BYTES)


@pytest.mark.parametrize("intent", [0, 1, 2, 3])
def test_programs_of_a_profile_do_not_count(intent: int) -> None:
    profile = _with_program(_wide_profile(), intent, 3)
    found, unusable = _with_profile(_colours(), profile)
    assert not unusable
    assert np.array_equal(found, _directly(_colours(), _wide_profile()))


def test_the_library_would_take_the_program_of_our_intent_before_anything_else() -> None:
    assert not _directly(_colours(), _with_program(_wide_profile(), 1, 3)).any()


def test_a_profile_is_applied_to_no_more_pixels_than_go_with_the_bytes() -> None:
    picture = _colours()
    picture.info["icc_profile"] = _wide_profile()
    least = 6 * picture.width * picture.height * 3 // 10
    limits = PictureLimits(free_bytes=0, max_expansion=10)
    to_srgb(picture, limits, least + 6)
    with pytest.raises(Unacceptable, match="expands_too_much"):
        to_srgb(picture, limits, least - 6)
    picture.info["icc_profile"] = _srgb_profile()
    to_srgb(picture, limits, least - 6)


def test_a_profile_is_judged_by_its_content_and_not_by_its_name() -> None:
    found, _ = _with_profile(_colours(), _wide_profile("sRGB"))
    assert np.array_equal(found, _directly(_colours(), _wide_profile("sRGB")))


def test_a_transparent_level_of_deep_grey_lies_on_white_and_no_other_does() -> None:
    picture = Pillow.fromarray(np.array([[0, 255, 256, 257, 65_535]], np.uint16))
    picture.info["transparency"] = 256
    assert _plain(picture)[0, :, 0].tolist() == [0, 0, 255, 1, 255]
