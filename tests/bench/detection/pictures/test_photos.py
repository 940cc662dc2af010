"""Photos and their uses, in a folder of drawn pictures."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from bench.detection.pictures.photos import PhotosMissing, Use, load, photos


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for folder, count in (("images", 38), ("unlabelled", 8)):
        (tmp_path / "parsing" / folder).mkdir(parents=True)
        for number in range(count):
            path = tmp_path / "parsing" / folder / f"{number:04}.jpg"
            Pillow.new("RGB", (4, 6), (number, 0, 0)).save(path)
    (tmp_path / "parsing" / "labels").mkdir()
    for number in range(38):
        (tmp_path / "parsing" / "labels" / f"{number:04}.png").touch()
    (tmp_path / "parsing" / "classes.json").write_text("{}")
    return tmp_path


def test_uses_are_disjoint(data: Path) -> None:
    uses = (Use.FIT, Use.CALIBRATE, Use.TEST, Use.TEST_CLEAN)
    names = {use: {photo.name for photo in photos(data, use)} for use in uses}
    assert [len(names[use]) for use in uses] == [8, 2, 4, 2]
    assert all(names[one].isdisjoint(names[two]) for one, two in combinations(uses, 2))


def test_a_list_replaces_the_test_photos_only(data: Path) -> None:
    listed = data / "list.txt"
    listed.write_text("parsing/images/0000.jpg\n\n")
    (found,) = photos(data, Use.TEST, listed)
    image = load(found)
    assert image.shape == (6, 4, 3)
    assert image.dtype == np.uint8
    assert photos(data, Use.CALIBRATE, listed) == photos(data, Use.CALIBRATE)


@pytest.mark.parametrize(("content", "said"), [("", "is empty"), ("no.jpg", "no.jpg")])
def test_a_list_that_leads_nowhere_is_refused(data: Path, content: str, said: str) -> None:
    listed = data / "list.txt"
    listed.write_text(content)
    with pytest.raises(PhotosMissing, match=said):
        photos(data, Use.TEST, listed)


def test_a_missing_folder_is_named(data: Path) -> None:
    with pytest.raises(PhotosMissing, match="person_free"):
        photos(data, Use.PERSON_FREE)
