"""Training data: published labels become ours, on label maps that fit on a page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from detectors.parsing import LabelMap
from inference.segmenters.reference.labels import Label
from inference.segmenters.reference.training.data import (
    SKIN_MARK,
    DatasetError,
    label_table,
    load_sample,
    names_in,
    split_names,
    split_skin,
)

CLASSES = {0: "null", 3: "jeans", 7: "skin", 9: "sunglasses", 12: "tights", 20: "moon boots"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One photo: jeans below, skin above, something nobody knows beside."""
    published = np.zeros((40, 10), dtype=np.uint8)
    published[0:4, 2:8], published[4:40, 2:8], published[:, 9] = 7, 3, 20
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    Pillow.fromarray(np.full((40, 10, 3), 200, dtype=np.uint8)).save(tmp_path / "images/one.jpg")
    Pillow.fromarray(published).save(tmp_path / "labels/one.png")
    (tmp_path / "classes.json").write_text(json.dumps(CLASSES))
    return tmp_path


def _body(*pieces: tuple[int, int]) -> LabelMap:
    """A coat from row 0 to row 100, and beside it pieces of skin in the given rows."""
    label_map = np.zeros((120, 10 * (len(pieces) + 1)), dtype=np.uint8)
    label_map[0:101, 0:5] = Label.COAT
    for column, (first, last) in enumerate(pieces, start=1):
        label_map[first:last, 10 * column : 10 * column + 5] = SKIN_MARK
    return label_map


def _rows(label_map: LabelMap, column: int, label: Label) -> Any:
    return np.flatnonzero(label_map[:, 10 * column] == label).tolist()


def test_published_classes_become_ours(folder: Path) -> None:
    table = label_table(folder)
    mapped = [int(table[index]) for index in CLASSES]
    assert mapped == [
        Label.BACKGROUND,
        Label.PANTS,
        SKIN_MARK,
        Label.GLASSES,
        Label.SOCKS,
        Label.BACKGROUND,
    ]
    assert table[200] == Label.BACKGROUND


def test_a_photo_is_read_with_its_labels(folder: Path) -> None:
    assert names_in(folder) == ["one"]
    sample = load_sample(folder, "one", label_table(folder))
    assert (sample.name, sample.image.shape) == ("one", (40, 10, 3))
    assert set(np.unique(sample.label_map)) == {Label.BACKGROUND, Label.FACE, Label.PANTS}
    assert (sample.label_map == Label.FACE).sum() == 4 * 6


@pytest.mark.parametrize("missing", ["labels/one.png", "classes.json"])
def test_a_folder_without_labels_is_said_with_the_option(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(DatasetError, match="--data") as caught:
        names_in(folder)
    assert str(folder) in str(caught.value)


def test_skin_takes_the_label_of_the_height_it_lies_at() -> None:
    found = split_skin(_body((2, 17), (30, 55), (60, 95)))
    assert _rows(found, 1, Label.FACE) == list(range(2, 17))
    assert _rows(found, 2, Label.ARM) == list(range(30, 55))
    assert _rows(found, 3, Label.LEG) == list(range(60, 95))


def test_a_piece_that_leaves_its_zone_a_little_stays_whole() -> None:
    found = split_skin(_body((1, 24), (20, 62), (50, 100)))
    assert _rows(found, 1, Label.FACE) == list(range(1, 24))
    assert _rows(found, 2, Label.ARM) == list(range(20, 62))
    assert _rows(found, 3, Label.LEG) == list(range(50, 100))


def test_a_piece_over_several_zones_is_cut_at_their_borders() -> None:
    found = split_skin(_body((0, 100)))
    assert _rows(found, 1, Label.FACE) == list(range(19))
    assert _rows(found, 1, Label.ARM) == list(range(19, 56))
    assert _rows(found, 1, Label.LEG) == list(range(56, 100))


def test_heights_are_measured_within_the_person() -> None:
    body = _body((30, 55))
    assert np.array_equal(split_skin(np.roll(body, 15, axis=0)), np.roll(split_skin(body), 15, 0))


def test_a_picture_without_skin_or_without_anybody_is_left_alone() -> None:
    for label_map in (_body(), np.zeros((5, 5), dtype=np.uint8)):
        assert np.array_equal(split_skin(label_map), label_map)


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 60)), max_size=4))
def test_all_skin_is_split_and_nothing_else_changes(pieces: list[tuple[int, int]]) -> None:
    label_map = _body(*((first, first + rows) for first, rows in pieces))
    before = label_map.copy()
    found = split_skin(label_map)
    skin = before == SKIN_MARK
    assert np.array_equal(label_map, before)
    assert np.array_equal(found[~skin], before[~skin])
    assert set(np.unique(found[skin])) <= {Label.FACE, Label.ARM, Label.LEG}


@given(st.integers(0, 800))
def test_the_split_is_fixed_and_no_photo_is_in_two_parts(count: int) -> None:
    names = [f"{number:04}" for number in range(count)]
    parts = [split_names(names[::-1], part) for part in ("train", "calibrate", "test")]
    assert sorted(name for part in parts for name in part) == names
    assert parts[0] == split_names(names, "train")
