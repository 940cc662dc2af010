"""What phones, cameras and tools put behind a picture is no reason to suspect it."""

import json
import struct
from collections.abc import Callable

import numpy as np
import pytest

from inference.gate.decoder.containers import jpeg as walker
from inference.gate.decoder.limits import PictureLimits
from inference.gate.decoder.tail import Tail
from inference.gate.media import MediaType

NOISE = np.random.default_rng(7).bytes(9_000)
FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + struct.pack(">I", 9_008) + b"mdat" + NOISE
JSON = b'{"version":"1.0","cameraId":0}'
CANON = b"CANON OPTIONAL DATA\0"


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _oneplus() -> bytes:
    listed = json.dumps([{"offset": 9_000, "length": 9_000, "name": "private.emptyspace"}]).encode()
    return NOISE + listed + b"jxrs" + struct.pack("<I", len(listed) + 8)


def _canon() -> bytes:
    frame = CANON + struct.pack(">II", 0, len(NOISE))
    return frame + NOISE + CANON + struct.pack(">I", len(NOISE)) + bytes(39) + b"\1"


KNOWN = {
    "nothing": b"",
    "zeros": bytes(100_000),
    "set bits": b"\xff" * 5_000,
    "a line end": b"\r\n",
    "a second end": b"\xff\xd9",
    "ends and filling": b"\0\0\xff\xd9\n\xff\xd9\0",
    "a film": FILM,
    "a film that breaks off": FILM[:-5_000],
    "a film behind filler": b"\xcf\x70\x0a\x32\x1c\xfd\xff\x7f\xbf\xef" + FILM,
    "a film behind a second end": b"\xff\xd9\0\0" + FILM,
    "vivo": b"vivo" + JSON + struct.pack(">I", 4 + len(JSON)) + b"cameralbum!",
    "vivo with its mark": b"vivo" + JSON + b"\0\xff\xff\xff\xff\x1b*9HWfu\x84\x93\xa2\xb1",
    "vivo with a preview": b"streamdata\xff\xd8\xff" + NOISE + b"vivo" + JSON + b"cameralbum!",
    "vivo behind a film": FILM + _box(b"uuid", b"vivoMediaExtInfovivo" + JSON + b"cameralbum!"),
    "OnePlus": _oneplus(),
    "Canon": _canon(),
    "Nikon": NOISE + bytes(6) + b"/NIKON APP",
    "Sony": b"\x55\x26\x11\x05\0" + NOISE,
    "Honor": FILM + b"v2_f11".ljust(20) + b"0:1200".ljust(20) + b"LIVE_9052".ljust(20),
    "a map of depths": NOISE + b"edof\0\3" + NOISE,
    "PhotoMechanic": NOISE + b"cbipcbbl",
    "FotoStation": NOISE + b"\xa1\xb2\xc3\xd4",
    "Insta360": NOISE + b"8db42d694ccc418790edff439fe026bf",
    "AFCP": NOISE + b"AXS!\0\1\0\2\0\0\x9a\x30",
    "AFCP of the other order": NOISE + b"AXS*\2\0\1\0\x30\x9a\0\0",
    "MIE": NOISE + b"~\0\4\0zmie~\0\0\6\0\0\x23\x28\x10\4",
    "MIE with a long length": NOISE + b"~\0\4\0zmie~\0\0\x0a\0\0\0\0\0\0\x23\x28\x18\x08",
}


def _tail(jpeg: bytes, content: bytes) -> Tail:
    data = jpeg + content
    return Tail.of(data, walker.walk(data, PictureLimits()))


@pytest.mark.parametrize("content", KNOWN.values(), ids=KNOWN)
@pytest.mark.parametrize("padding", [b"", bytes(9)], ids=["at once", "between zeros"])
def test_what_makers_put_behind_a_picture_leaves_no_rest(
    jpeg: bytes, content: bytes, padding: bytes
) -> None:
    assert _tail(jpeg, padding + content + padding).rest == b""


def test_samsungs_trailer_leaves_no_rest(jpeg: bytes, makers_trailer: Callable[..., bytes]) -> None:
    sound = bytes(20) + struct.pack("<I", 20) + b"QDIOBS"
    for content in (makers_trailer(), makers_trailer(FILM), makers_trailer() + sound):
        assert _tail(jpeg, content).rest == b""
        assert _tail(jpeg, content + bytes(9)).rest == b""
        assert _tail(jpeg, FILM + content).rest == b""


def test_a_samsung_mark_without_its_directory_is_a_rest(
    jpeg: bytes, makers_trailer: Callable[..., bytes]
) -> None:
    trailer = makers_trailer()
    length = int.from_bytes(trailer[-8:-4], "little")
    for wrong in (0, 1, length - 1, length + 1, 2**32 - 1):
        content = trailer[:-8] + wrong.to_bytes(4, "little") + b"SEFT"
        assert _tail(jpeg, content).rest.endswith(b"SEFT")
    for content in (b"SEFT", b"\4\0\0\0SEFT", trailer + b"x", b"QDIOBS", b"jxrs", b"12345678jxrs"):
        assert _tail(jpeg, content).rest


@pytest.mark.parametrize(
    "words",
    [
        b'<rdf:li Item:Mime="image/jpeg" Item:Semantic="Depth" Item:Length="9000"/>',
        b'MiCamera:XMPMeta="&lt;depthmap version=&quot;2&quot; offset=&quot;9000&quot;/&gt;"',
        b'<subimage offset="9000" length="9000"/>',
    ],
)
def test_what_the_pictures_own_words_announce_leaves_no_rest(
    jpeg_with: Callable[..., bytes], words: bytes
) -> None:
    data = jpeg_with(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + words)
    assert _tail(data, NOISE).rest == b""
    assert _tail(data, b"x" + NOISE).rest


@pytest.mark.parametrize(
    "content", [b"x", b"\0\0x", b"Sent with love.", b"\xff\xd9x", b"x" * 4_096]
)
def test_a_note_is_small(jpeg: bytes, content: bytes) -> None:
    tail = _tail(jpeg, content)
    assert tail.rest
    assert tail.is_small()


def test_filling_is_small_whatever_its_length(jpeg: bytes) -> None:
    tail = _tail(jpeg, b"\xaa" * 100_000)
    assert (len(tail.rest), tail.is_small()) == (100_000, True)


@pytest.mark.parametrize("content", [NOISE, b"ftyp" + NOISE, b"x" * 70_000 + FILM])
def test_anything_else_is_large(jpeg: bytes, content: bytes) -> None:
    assert not _tail(jpeg, content).is_small()


def test_a_preview_that_breaks_off_leaves_no_rest(jpeg: bytes) -> None:
    assert _tail(jpeg, jpeg[:-200]).rest == b""


@pytest.mark.parametrize("content", KNOWN.values(), ids=KNOWN)
def test_what_can_run_is_found_in_what_makers_put_there(
    jpeg: bytes, archive: bytes, signs_of: Callable[..., set[str]], content: bytes
) -> None:
    for hidden in (archive, b"\x7fELF\2\1\1" + bytes(9), b"MZ" + bytes(126) + b"PE\0\0"):
        half = len(content) // 2
        data = jpeg + content[:half] + hidden + content[half:]
        assert "polyglot" in signs_of(data, MediaType.JPEG)
    assert "script_in_metadata" in signs_of(jpeg + b"<?php x();" + content, MediaType.JPEG)
