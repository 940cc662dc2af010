"""The colour composite: overlay, outlines and legend."""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from detectors.label_lists import LABEL_LISTS
from detectors.palette import colour_of
from detectors.parsing import Image, LabelMap, Parsing
from inference.answer.composite import colour_composite, mask_overlay
from inference.answer.legend import LegendRow, draw_legend, legend_rows
from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS, Label

FIGURE = draw_figure(11, (320, 480))
CIHP = LABEL_LISTS["CIHP"]


def _parsing(label_map: LabelMap, labels: tuple[str, ...] = LABELS) -> Parsing:
    return Parsing(np.full((len(labels), 2, 2), 1 / len(labels), np.float32), label_map, labels)


def _stripes(height: int, width: int, labels: tuple[str, ...]) -> Parsing:
    """Every label in stripes of one row each."""
    rows = np.arange(height) % len(labels)
    return _parsing(np.repeat(rows[:, None], width, axis=1).astype(np.uint8), labels)


def _grey(height: int, width: int, level: int = 90) -> Image:
    return np.full((height, width, 3), level, dtype=np.uint8)


def _halves(height: int = 300, width: int = 400) -> LabelMap:
    """Background, then a coat from column 100 to 300."""
    label_map = np.zeros((height, width), dtype=np.uint8)
    label_map[:, 100:300] = Label.COAT
    return label_map


def _ink(panel: Image) -> npt.NDArray[np.bool_]:
    return np.asarray((panel != 255).any(axis=2), dtype=np.bool_)


def test_the_background_stays_and_the_person_is_tinted() -> None:
    composite = colour_composite(FIGURE.image, _parsing(FIGURE.label_map))[:480, :320]
    changed = (composite != FIGURE.image).any(axis=2)
    foreground = FIGURE.label_map > 0
    near = cv2.dilate(foreground.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert changed[foreground].mean() > 0.99
    assert not changed[~near].any()


def test_a_part_has_its_colour_over_its_picture() -> None:
    drawn = mask_overlay(_grey(300, 400, 200), _parsing(_halves()))
    expected = 0.45 * 200 + 0.55 * np.array(colour_of("coat"))
    assert np.abs(drawn[150, 200] - expected).max() <= 1
    assert (drawn[150, 20] == 200).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_outline_is_white_beside_dark_on_any_picture(level: int) -> None:
    drawn = mask_overlay(_grey(300, 400, level), _parsing(_halves()))
    across = drawn[150, 95:105].astype(int).sum(axis=1)
    assert across.max() == 3 * 255
    assert across.min() <= 0.35 * 3 * 255 + 2


def test_a_line_between_persons_is_stronger_than_one_between_parts() -> None:
    label_map = _halves()
    persons = np.zeros_like(label_map)
    persons[:, 100:200], persons[:, 200:300] = 1, 2
    alone = mask_overlay(_grey(300, 400), _parsing(label_map))
    apart = mask_overlay(_grey(300, 400), replace(_parsing(label_map), persons=persons))
    white = [(drawn[150] == 255).all(axis=1) for drawn in (alone, apart)]
    assert [columns[190:210].sum() for columns in white] == [0, 2]
    assert [columns[90:110].sum() for columns in white] == [1, 2]


def test_the_same_parsing_gives_the_same_pixels() -> None:
    parsing = _parsing(FIGURE.label_map)
    first, second = (colour_composite(FIGURE.image, parsing) for _ in range(2))
    assert np.array_equal(first, second)


def test_picture_and_parsing_are_left_as_they_were() -> None:
    image, label_map = FIGURE.image.copy(), FIGURE.label_map.copy()
    colour_composite(image, replace(_parsing(label_map), persons=label_map))
    assert np.array_equal(image, FIGURE.image)
    assert np.array_equal(label_map, FIGURE.label_map)


@pytest.mark.parametrize("size", [(1, 1), (8, 16_384), (16_384, 8), (2000, 1000)])
def test_a_composite_of_any_picture_is_bounded(size: tuple[int, int]) -> None:
    composite = colour_composite(_grey(*size), _stripes(*size, CIHP), max_side=640)
    assert composite.shape[0] <= 640
    assert composite.shape[1] <= 640 + 400


@pytest.mark.parametrize(
    ("size", "times"), [((96, 64), 3), ((20, 128), 2), ((256, 9), 1), ((300, 200), 1)]
)
def test_a_small_picture_is_enlarged_until_it_is_legible(size: tuple[int, int], times: int) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    height, width = size[0] * times, size[1] * times
    composite = colour_composite(image, _parsing(np.zeros(size, dtype=np.uint8)))
    assert np.array_equal(composite[:height, :width], np.kron(image, np.ones((times, times, 1))))
    assert (composite[height:, :width] == 255).all()


def test_a_low_picture_gets_white_below_it() -> None:
    composite = colour_composite(_grey(60, 600), _stripes(60, 600, CIHP))
    assert composite.shape[0] > 200
    assert (composite[60:, :600] == 255).all()


def test_legend_rows_go_from_head_to_foot_and_share_the_whole_picture() -> None:
    label_map = np.zeros((100, 100), dtype=np.uint8)
    parts = {"Left-shoe": 2, "Face": 210, "UpperClothes": 3000, "Right-arm": 500}
    for label, pixels in parts.items():
        free = np.flatnonzero(label_map.ravel() == 0)[:pixels]
        label_map.ravel()[free] = CIHP.index(label)
    assert legend_rows(_parsing(label_map, CIHP)) == (
        LegendRow("face", "2.1 %", colour_of("face")),
        LegendRow("upper clothes", "30.0 %", colour_of("UpperClothes")),
        LegendRow("right arm", "5.0 %", colour_of("right_arm")),
        LegendRow("left shoe", "<0.1 %", colour_of("left shoe")),
        LegendRow("background", "62.9 %"),
    )


@pytest.mark.parametrize(("numbers", "said"), [((1,), "1 person"), ((1, 7), "2 persons")])
def test_the_legend_counts_the_persons_that_are_told_apart(
    numbers: tuple[int, ...], said: str
) -> None:
    persons = np.zeros((300, 400), dtype=np.uint8)
    persons[: len(numbers), 100] = numbers
    rows = legend_rows(replace(_parsing(_halves()), persons=persons))
    assert [row.words for row in rows] == [said, "coat", "background"]


def test_a_picture_without_labels_says_so() -> None:
    rows = legend_rows(_parsing(np.zeros((60, 40), dtype=np.uint8)))
    assert rows == (LegendRow("no person"), LegendRow("background", "100.0 %"))


@pytest.mark.parametrize("height", [1, 96, 213, 300, 427, 480, 640, 1280])
@pytest.mark.parametrize("labels", [CIHP, ("background", "x" * 60), LABELS])
def test_a_legend_never_touches_its_edges(height: int, labels: tuple[str, ...]) -> None:
    parsing = replace(_stripes(40, 10, labels), persons=np.ones((40, 10), np.uint8))
    panel = draw_legend(parsing, height)
    assert panel.shape[0] >= height
    assert panel.shape[1] < 500
    ink = _ink(panel)
    edges = np.concatenate(
        [ink[:4].ravel(), ink[-4:].ravel(), ink[:, :4].ravel(), ink[:, -4:].ravel()]
    )
    assert not edges.any()


@pytest.mark.parametrize("height", [96, 300, 1280])
def test_every_label_has_a_swatch_in_the_legend(height: int) -> None:
    panel = draw_legend(_stripes(40, 10, CIHP), height)
    for label in CIHP[1:]:
        assert (panel == colour_of(label)).all(axis=2).sum() >= 80, label


def test_labels_that_nobody_knows_come_last_and_are_cut() -> None:
    labels = ("background", "x" * 60, "face")
    rows = legend_rows(_stripes(30, 10, labels))
    assert [row.words for row in rows] == ["face", "x" * 21 + "…", "background"]


def test_as_many_labels_as_there_can_be_fit() -> None:
    labels = tuple(f"label {index}" for index in range(256))
    panel = draw_legend(_stripes(256, 10, labels), 300)
    assert panel.shape[0] < 2700
    assert not _ink(panel)[-4:].any()
