"""Photos as they arrive, in a folder of drawn pictures."""

from pathlib import Path

import pytest
from PIL import Image as Pillow

from bench.detection.pictures.controls import CONTROLS
from bench.detection.pictures.photos import Photo
from bench.detection.pictures.uploads import RAW, change_photo, list_traffic, read_files
from inference.figures import draw_figure


@pytest.fixture
def photos(tmp_path: Path) -> list[Photo]:
    """One more than there are changes."""
    picture = Pillow.fromarray(draw_figure(11, (64, 96)).image)
    paths = [tmp_path / f"{number:02}.jpg" for number in range(len(CONTROLS) + 1)]
    for path in paths:
        picture.save(path)
    return [Photo(f"images/{path.stem}", path) for path in paths]


def test_photos_are_sent_as_they_lie_on_disk(photos: list[Photo]) -> None:
    files = list(read_files(photos))
    assert [(file.kind, file.photo) for file in files] == [(RAW, photo.name) for photo in photos]
    assert files[0].content == photos[0].path.read_bytes()


def test_traffic_alternates_and_takes_each_change_in_turn(photos: list[Photo]) -> None:
    files = list(list_traffic(photos))
    assert [file.photo for file in files] == [photo.name for photo in photos for _ in range(2)]
    assert {file.kind for file in files[::2]} == {RAW}
    assert [file.kind for file in files[1::2]] == [*CONTROLS, next(iter(CONTROLS))]


def test_traffic_repeats(photos: list[Photo]) -> None:
    first, again = ([file.content for file in list_traffic(photos[:4])] for _ in range(2))
    assert first == again


def test_two_photos_are_changed_differently(photos: list[Photo]) -> None:
    one, other = (change_photo(photo, "noise").content for photo in photos[:2])
    assert photos[0].path.read_bytes() == photos[1].path.read_bytes()
    assert one != other
