"""What the measurement of the service sends."""

from pathlib import Path

import pytest

from bench.detection.pictures.photos import PhotosMissing
from bench.serve.pictures import read_pictures
from inference.segmenters.reference.training.data import DatasetError


def test_figures_are_drawn_only_where_there_is_no_folder(tmp_path: Path) -> None:
    pictures = read_pictures(tmp_path / "nowhere")
    assert pictures.are_drawn
    assert pictures.portraits == ()
    assert len(set(pictures.known)) == len(pictures.known) == 80


def test_a_folder_with_other_things_stops_the_measurement(tmp_path: Path) -> None:
    with pytest.raises((PhotosMissing, DatasetError)):
        read_pictures(tmp_path)
