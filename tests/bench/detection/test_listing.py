"""Prints in drawn pictures, through the store and the job, as the bench sends them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.random import default_rng

from bench.detection.trigger.listing import listing_figures
from detectors.findings import Finding, Place
from detectors.parsing import Image
from detectors.rule_book import TRIGGER_SUSPECTED
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from tests.detectors.patch_pictures import cloth, printed

SIDE = 160


def _search_picture(_: object, image: Image) -> Finding:
    """The whole picture is suspicious; what the tile search finds is tested elsewhere."""
    height, width = image.shape[:2]
    return Finding(TRIGGER_SUSPECTED, {}, (Place(0, 0, width, height),))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Drawn cloth where the photos would lie."""
    for kind in ("images", "labels", "unlabelled"):
        (tmp_path / "parsing" / kind).mkdir(parents=True)
    for number in range(124):
        picture = cloth(default_rng(number), SIDE)
        cv2.imwrite(str(tmp_path / "parsing" / "unlabelled" / f"{number:03}.png"), picture)
    for number in range(20):
        picture = cloth(default_rng(300 + number), SIDE)
        cv2.imwrite(str(tmp_path / "parsing" / "images" / f"{number:03}.jpg"), picture)
        label_map = np.zeros((SIDE, SIDE), np.uint8)
        cv2.imwrite(str(tmp_path / "parsing" / "labels" / f"{number:03}.png"), label_map)
    (tmp_path / "parsing" / "classes.json").write_text("{}")
    return tmp_path


def test_half_of_the_pictures_make_the_list_and_the_others_are_found(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.detection.trigger.listing._search_picture", _search_picture)
    segmenter = TorchSegmenter.load(DEFAULT_WEIGHTS)
    figures = listing_figures(segmenter, [printed(seed, SIDE) for seed in range(10)], data)
    assert (figures["sent"], figures["flagged"], figures["n"]) == (5, 5, 5)
    assert figures["listed"] == 1
    assert figures["found"] >= 0.8
    assert figures["fpr"] <= 0.02
    assert figures["ms"] > 0
