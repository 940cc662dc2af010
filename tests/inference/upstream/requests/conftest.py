"""Pictures, and requests with them."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image as Pillow

from inference.figures import draw_figure
from inference.refusals import Refusal, Refused
from inference.upstream.presets.doors import find_door
from inference.upstream.presets.preset import Door
from inference.upstream.presets.preset_files import load_preset
from inference.upstream.requests.read import read_request
from inference.upstream.requests.sent_request import RequestLimits, SentRequest

LIMITS = RequestLimits(max_picture_bytes=100_000, max_text_bytes=2_000)
Read = Callable[..., SentRequest]


def door_of(preset: str, path: str, method: str = "POST") -> Door:
    """A door of a shipped preset."""
    door = find_door(load_preset(preset), method, path.encode())
    assert door is not None
    return door


def read(door: Door, body: bytes, content_type: str | None = None, **headers: str) -> SentRequest:
    """What is read of a body; headers with underscores for hyphens."""
    names = {"content-type": content_type} | {k.replace("_", "-"): v for k, v in headers.items()}
    pairs = [(k.encode(), v.encode("latin-1")) for k, v in names.items() if v is not None]
    return read_request(door, pairs, body, LIMITS)


def refusal_of(door: Door, body: bytes, content_type: str | None = None, **headers: str) -> Refusal:
    """Why a body is refused."""
    with pytest.raises(Refused) as refused:
        read(door, body, content_type, **headers)
    return refused.value.refusal


def save(picture: Pillow.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file."""
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def photo() -> Pillow.Image:
    return Pillow.fromarray(draw_figure(11, (96, 64)).image)


@pytest.fixture(scope="session")
def jpeg(photo: Pillow.Image) -> bytes:
    return save(photo, "JPEG", quality=80)


@pytest.fixture(scope="session")
def turned_jpeg(photo: Pillow.Image) -> bytes:
    """A picture that lies on its side, as its EXIF data says (orientation 6)."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    return save(photo, "JPEG", quality=80, exif=exif)


@pytest.fixture(scope="session")
def png(photo: Pillow.Image) -> bytes:
    return save(photo, "PNG")
