"""The walker of JPEG files, on files that Pillow wrote and on files built from segments."""

from collections.abc import Callable

import pytest
from PIL import Image as Pillow

from inference.gate.decoder.containers import jpeg as walker
from inference.gate.decoder.limits import PictureLimits, Unacceptable

LIMITS = PictureLimits()


def _refusal(data: bytes, limits: PictureLimits = LIMITS) -> str:
    with pytest.raises(Unacceptable) as refused:
        walker.walk(data, limits)
    return refused.value.code


def test_an_ordinary_file_is_walked_to_its_end(jpeg: bytes) -> None:
    parts = walker.walk(jpeg, LIMITS)
    assert (parts.width, parts.height, parts.frames) == (128, 96, 1)
    assert (parts.complete, parts.end) == (True, len(jpeg))


def test_what_lies_behind_the_end_is_not_part_of_it(jpeg: bytes) -> None:
    assert walker.walk(jpeg + b"more", LIMITS).end == len(jpeg)


def test_tables_are_metadata_and_pixels_are_not(jpeg: bytes) -> None:
    parts = walker.walk(jpeg, LIMITS)
    table = jpeg.index(b"\xff\xdb")
    length = int.from_bytes(jpeg[table + 2 : table + 4], "big")
    scan = jpeg.index(b"\xff\xda")
    start = scan + 2 + int.from_bytes(jpeg[scan + 2 : scan + 4], "big")
    assert parts.pixels == [(start, len(jpeg) - 2)]
    assert jpeg[table + 4 : table + 2 + length] in b"".join(parts.texts(jpeg))
    assert parts.metadata_bytes < scan + 20


def test_more_segments_than_any_picture_has_are_unreadable(
    jpeg: bytes, segment: Callable[..., bytes]
) -> None:
    pieces = jpeg.count(b"\xff") + 10
    fill = segment(0xFE, b"")
    assert walker.walk(jpeg[:2] + fill * (20_000 - pieces) + jpeg[2:], LIMITS).complete
    assert _refusal(jpeg[:2] + fill * 20_000 + jpeg[2:]) == "unreadable"


@pytest.mark.parametrize("marker", [0xFE, 0xE0, 0xE1, 0xEB, 0xED, 0xEF])
def test_comments_and_application_data_are_metadata(
    jpeg_with: Callable[..., bytes], marker: int
) -> None:
    data = jpeg_with(marker, b"spoken words")
    assert b"spoken words" in b"".join(walker.walk(data, LIMITS).texts(data))


def test_a_thumbnail_in_the_metadata_is_not_the_picture(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    jpeg: bytes,
    jpeg_with: Callable[..., bytes],
) -> None:
    inner = saved(photo.resize((16, 16)), "JPEG")
    parts = walker.walk(jpeg_with(0xE1, b"Exif\0\0" + inner), LIMITS)
    assert (parts.width, parts.height, parts.frames) == (128, 96, 1)
    assert parts.end == len(jpeg) + 4 + 6 + len(inner)


def test_the_pieces_of_a_profile_are_added_up(
    photo: Pillow.Image, saved: Callable[..., bytes]
) -> None:
    data = saved(photo, "JPEG", icc_profile=bytes(150_000))
    assert walker.walk(data, LIMITS).profile == bytes(150_000)


def test_filling_bytes_before_a_marker_are_skipped(jpeg: bytes) -> None:
    parts = walker.walk(jpeg[:2] + b"\xff\xff\xff" + jpeg[2:], LIMITS)
    assert (parts.width, parts.complete) == (128, True)


def test_passes_of_a_progressive_picture_are_bounded(
    photo: Pillow.Image, saved: Callable[..., bytes]
) -> None:
    data = saved(photo, "JPEG", progressive=True)
    scans = data.count(b"\xff\xda")
    assert scans > 2
    assert walker.walk(data, PictureLimits(max_scans=scans)).complete
    assert _refusal(data, PictureLimits(max_scans=scans - 1)) == "too_many_scans"


@pytest.mark.parametrize("padding", [b"", b"\0", bytes(5_000)])
def test_pictures_that_follow_are_counted_over_padding(jpeg: bytes, padding: bytes) -> None:
    parts = walker.walk(padding.join([jpeg] * 3), LIMITS)
    assert (parts.frames, parts.end) == (3, 3 * len(jpeg) + 2 * len(padding))


def test_counting_stops_just_behind_the_bound(jpeg: bytes) -> None:
    assert walker.walk(jpeg * 9, PictureLimits(max_frames=3)).frames == 4


def test_metadata_of_pictures_that_follow_count_as_well(
    jpeg: bytes, jpeg_with: Callable[..., bytes]
) -> None:
    data = jpeg + jpeg_with(0xFE, b"in the second")
    parts = walker.walk(data, LIMITS)
    assert b"in the second" in b"".join(parts.texts(data))
    assert parts.metadata_bytes == 2 * walker.walk(jpeg, LIMITS).metadata_bytes + 13


def test_a_following_picture_that_breaks_off_lies_behind_the_end(jpeg: bytes) -> None:
    parts = walker.walk(jpeg + jpeg[:-2], LIMITS)
    assert (parts.frames, parts.complete, parts.end) == (1, True, len(jpeg))


def test_a_file_without_an_end_is_incomplete(jpeg: bytes) -> None:
    parts = walker.walk(jpeg[:-2], LIMITS)
    assert (parts.width, parts.complete) == (128, False)


def test_a_segment_that_goes_on_behind_the_end_counts_as_far_as_it_goes(
    jpeg_with: Callable[..., bytes],
) -> None:
    data = jpeg_with(0xFE, b"spoken words" + bytes(1_000))[:500]
    parts = walker.walk(data, LIMITS)
    assert not parts.complete
    assert b"spoken words" in b"".join(parts.texts(data))


@pytest.mark.parametrize("length", [b"\0\0", b"\0\1"])
def test_a_segment_shorter_than_its_length_field_is_passed_over(jpeg: bytes, length: bytes) -> None:
    parts = walker.walk(jpeg[:2] + b"\xff\xfe" + length + jpeg[2:], LIMITS)
    assert (parts.width, parts.complete) == (128, True)
