"""Files that break off: how much of a picture has to be there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.gate.media import MediaType
from tests.inference.gate.decoder.examine.walked import WALKED


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("media_type", WALKED)
def test_a_file_that_breaks_off_is_refused(
    files: dict[MediaType, bytes],
    refusal_of: Callable[..., str],
    media_type: MediaType,
    share: float,
) -> None:
    data = files[media_type]
    assert refusal_of(data[: int(share * len(data))], media_type) in {"truncated", "unreadable"}


@pytest.fixture(scope="module")
def tall(saved: Callable[..., bytes]) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (640, 128, 3), dtype=np.uint8)
    return saved(Pillow.fromarray(noise), "JPEG", quality=80)


@pytest.mark.parametrize(("share", "code"), [(0.995, ""), (0.93, ""), (0.87, "truncated")])
def test_a_tenth_of_a_camera_picture_may_be_missing(
    tall: bytes, refusal_of: Callable[..., str], share: float, code: str
) -> None:
    assert refusal_of(tall[: int(share * len(tall))], MediaType.JPEG) == code


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5, 0.85])
@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"subsampling": 0}])
def test_whatever_little_of_a_camera_picture_is_there_is_too_little(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    refusal_of: Callable[..., str],
    options: dict[str, Any],
    share: float,
) -> None:
    data = saved(photo.resize((384, 576)), "JPEG", quality=90, **options)
    assert refusal_of(data[: int(share * len(data))], MediaType.JPEG) == "truncated"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_how_much_is_missing_does_not_depend_on_how_the_picture_stands(
    tall: bytes, segment: Callable[..., bytes], refusal_of: Callable[..., str], orientation: int
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = tall[:2] + segment(0xE1, exif.tobytes()) + tall[2:]
    assert refusal_of(data[: int(0.93 * len(data))], MediaType.JPEG) == ""
    assert refusal_of(data[: int(0.8 * len(data))], MediaType.JPEG) == "truncated"


def test_a_missing_pass_is_a_missing_picture(
    photo: Pillow.Image, saved: Callable[..., bytes], refusal_of: Callable[..., str]
) -> None:
    data = saved(photo, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert refusal_of(data[:last], MediaType.JPEG) == "truncated"
