"""The plan of a few minutes takes fewer photos of every kind, and the same ones each time."""

from pathlib import Path

import pytest

from bench.detection.command import quick
from bench.detection.pictures.photos import PhotosMissing, Use
from bench.detection.plan import Plan


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "street" / "people"
    folder.mkdir(parents=True)
    for number in range(17):
        (folder / f"{number:02}.jpg").touch()
    return tmp_path


def test_a_quick_plan_takes_every_eighth_photo(data: Path) -> None:
    plan = Plan(data)
    assert len(plan.photos(Use.OTHER_CAMERAS)) == 17
    names = [photo.path.stem for photo in quick(plan).photos(Use.OTHER_CAMERAS)]
    assert names == ["00", "08", "16"]


def test_a_quick_plan_keeps_whose_photos_they_are(data: Path) -> None:
    own = quick(Plan(data, Path("list.txt"), adaptive=3))
    assert (own.data, own.test_list, own.adaptive) == (data, Path("list.txt"), 3)
    assert own.pictures == 4


def test_missing_photos_are_said_to_be_missing(data: Path) -> None:
    with pytest.raises(PhotosMissing):
        Plan(data).photos(Use.PERSON_FREE)
