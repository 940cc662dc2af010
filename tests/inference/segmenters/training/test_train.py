"""Training on a made-up folder: small epochs from photos to a file that parses."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS, Label
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.recipe import BASE, CROWDS, Plan
from inference.segmenters.reference.training.train import main, train
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, SHIPPED_SHA256
from inference.supply.errors import ModelError

FIRST = replace(BASE, sizes=((32, 64),), epochs=1)
LAST = replace(CROWDS, sizes=((48, 64),), epochs=1)
PLAN = Plan(stages=(FIRST, LAST), batch=8, figures=1)
# Published class of each of our labels; classes.json has no number that is 255.
CLASSES = {0: "null", 1: "hat", 2: "hair", 4: "shirt", 8: "jeans", 10: "shoes", 20: "skin"}
_SKIN_LABELS = (Label.FACE, Label.ARM, Label.LEG)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nineteen drawn photos: one turn of the split."""
    data = tmp_path / "data"
    for name in ("images", "labels"):
        (data / name).mkdir(parents=True)
    for seed in range(19):
        figure = draw_figure(seed, (48, 72))
        published = np.where(np.isin(figure.label_map, _SKIN_LABELS), 20, figure.label_map)
        Pillow.fromarray(figure.image).save(data / f"images/{seed:02}.jpg")
        Pillow.fromarray(published.astype(np.uint8)).save(data / f"labels/{seed:02}.png")
    (data / "classes.json").write_text(json.dumps(CLASSES))
    return data


def test_the_stages_run_in_order_and_write_weights_that_parse(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "weights.onnx"
    train(folder, out, PLAN)
    printed = capsys.readouterr().out
    assert printed.index("base 1/1 loss") < printed.index("crowds 1/1 loss")
    assert "calibration miou" in printed
    assert out.with_suffix(".log").read_text() == printed
    parsing = ReferenceSegmenter.load(out).parse(draw_figure(50, (48, 72)).image)
    assert parsing.labels == LABELS
    assert np.isfinite(parsing.probabilities).all()


def test_the_log_names_the_seed_and_the_weights_that_it_started_from(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "weights.onnx"
    train(folder, out, replace(PLAN, stages=(LAST,)), DEFAULT_WEIGHTS)
    log = out.with_suffix(".log").read_text()
    assert f"seed {PLAN.seed}" in log
    assert f"start {SHIPPED_SHA256}" in log
    assert "base" not in log


def test_the_same_seed_trains_the_same_weights(folder: Path, tmp_path: Path) -> None:
    files = [tmp_path / "first.onnx", tmp_path / "again.onnx"]
    for out in files:
        train(folder, out, replace(PLAN, stages=(LAST,)), DEFAULT_WEIGHTS)
    first, again = (file.read_bytes() for file in files)
    assert first == again


def test_a_start_that_cannot_be_read_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing"):
        train(folder, tmp_path / "out.onnx", PLAN, tmp_path / "missing")


def test_a_folder_without_photos_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "weights.onnx"
    command = ["train", "--data", str(tmp_path), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    assert main() == 1
    printed = capsys.readouterr()
    assert "holds no labelled photos" in printed.err
    assert "Traceback" not in printed.err
    assert not out.exists()


def test_small_pictures_come_first_and_large_ones_later() -> None:
    stage = replace(BASE, sizes=((32, 64), (192, 288)), epochs=4)
    assert [stage.size(epoch) for epoch in range(4)] == [(32, 64)] * 2 + [(192, 288)] * 2
