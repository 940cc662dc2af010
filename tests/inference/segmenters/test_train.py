"""Training on a made-up folder: one small epoch from photos to a file that parses."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from inference.figures import draw_figure
from inference.segmenters.reference.augment import augmented
from inference.segmenters.reference.data import Sample
from inference.segmenters.reference.labels import LABELS, Label
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.train import Plan, class_weights, loss_of, main, train

PLAN = Plan(small_epochs=1, large_epochs=0, small_size=(32, 64), batch=8, figures=1)
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


def test_one_epoch_writes_weights_that_parse(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "weights.safetensors"
    train(folder, out, PLAN)
    printed = capsys.readouterr().out
    assert "epoch 1/1 loss" in printed
    assert "calibration miou" in printed
    parsing = ReferenceSegmenter.load(out).parse(draw_figure(50, (48, 72)).image)
    assert parsing.labels == LABELS
    assert np.isfinite(parsing.probabilities).all()


def test_a_folder_without_photos_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "weights.safetensors"
    command = ["train", "--data", str(tmp_path), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    assert main() == 1
    printed = capsys.readouterr()
    assert "holds no labelled photos" in printed.err
    assert "Traceback" not in printed.err
    assert not out.exists()


def test_small_pictures_come_first_and_large_ones_later() -> None:
    plan = replace(PLAN, small_epochs=2, large_epochs=1)
    assert plan.epochs == 3
    assert [plan.size(epoch) for epoch in range(3)] == [(32, 64), (32, 64), (192, 288)]


def _sample(labels: list[int]) -> Sample:
    return Sample("one", np.zeros((1, len(labels), 3), np.uint8), np.array([labels], np.uint8))


def test_rare_labels_weigh_more_but_not_wildly() -> None:
    weights = class_weights([_sample([0] * 9_000 + [4] * 900 + [12])])
    assert weights[0] < weights[4] < weights[12]
    assert weights.max() / weights.min() <= 12.001
    assert float(weights.mean()) == pytest.approx(1)


def test_a_better_answer_has_a_smaller_loss() -> None:
    truth = torch.tensor([[[0, 4], [8, 12]]])
    right = torch.nn.functional.one_hot(truth, len(LABELS)).permute(0, 3, 1, 2).float()
    even = torch.ones(len(LABELS))
    losses = [float(loss_of(scale * right, truth, even)) for scale in (-5, 0, 5)]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("seed", range(8))
def test_augmentation_keeps_picture_and_labels_together(seed: int) -> None:
    figure = draw_figure(seed, (48, 72))
    plain = np.repeat(figure.label_map[..., None], 3, axis=2) * 17
    samples = [Sample("one", plain.astype(np.uint8), figure.label_map)] * 2
    for image, label_map in augmented(samples, (48, 64), np.random.default_rng(seed)):
        # Seeds in this range include single people and pairs in halves.
        assert image.shape == (*label_map.shape, 3)
        assert image.dtype == label_map.dtype == np.uint8
        assert set(np.unique(label_map)) <= set(np.unique(figure.label_map))
        brightness = image.mean(axis=2)
        assert brightness[label_map > 6].mean() > brightness[label_map == 0].mean()


def test_the_same_random_numbers_augment_the_same_way() -> None:
    figure = draw_figure(1, (48, 72))
    samples = [Sample("one", figure.image, figure.label_map)] * 3
    first, again = (augmented(samples, (48, 64), np.random.default_rng(4)) for _ in range(2))
    for (image, labels), (same_image, same_labels) in zip(first, again, strict=True):
        assert np.array_equal(image, same_image)
        assert np.array_equal(labels, same_labels)
