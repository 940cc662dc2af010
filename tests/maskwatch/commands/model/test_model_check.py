"""``maskwatch model check``: what a model is, what it answers, which labels have no group."""

from pathlib import Path

import pytest

from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from tests.inference.segmenters.foreign_models import (
    PLAIN,
    network,
    write_bodypix,
    write_model,
    write_segformer,
)
from tests.maskwatch.conftest import Run


def test_a_network_in_onnx_is_described(maskwatch: Run, tmp_path: Path) -> None:
    said = maskwatch("model", "check", str(write_model(tmp_path / "small", network())))
    assert said.code == 0
    lines = said.out.splitlines()
    assert "segmenter  onnx" in lines
    assert "signature  unsigned: There is no signature." in lines
    assert any(line.startswith("start      A service does not load it yet. The") for line in lines)
    assert "labels     4 with the background" in lines
    assert "group      face: face, visage" in lines
    assert any(line.startswith("lacking    head, hair, bare torso, arms") for line in lines)
    assert sum(line.startswith("figure ") for line in lines) == 3
    assert not any(line.startswith(("warning", "no group")) for line in lines)


def test_a_model_that_sees_nobody_is_warned_of(maskwatch: Run, tmp_path: Path) -> None:
    said = maskwatch("model", "check", str(write_model(tmp_path, network(bias=1e4))))
    assert said.code == 0
    assert "warning    Everything is background on drawn people." in said.out


def test_the_shipped_weights_are_described(maskwatch: Run) -> None:
    said = maskwatch("model", "check", str(DEFAULT_WEIGHTS))
    assert "segmenter  reference" in said.out
    assert "signature  shipped" in said.out
    assert "start  " not in said.out


def test_labels_without_a_group_are_named(maskwatch: Run, tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    said = maskwatch("model", "check", str(write_segformer(tmp_path / "segformer")))
    assert "segmenter  transformers" in said.out
    assert "no group   tail: give them one in segmenter.toml" in said.out


def test_bodypix_sees_the_drawn_person(maskwatch: Run, tmp_path: Path) -> None:
    said = maskwatch("model", "check", str(write_bodypix(tmp_path / "bodypix")))
    assert "group      feet: left_foot, right_foot" in said.out
    assert "lacking    head, hair, bare torso, lower, accessories" in said.out
    assert "warning" not in said.out.replace("[warning", "")


def test_a_fault_ends_with_its_sentence(maskwatch: Run, tmp_path: Path) -> None:
    description = PLAIN.replace("stride =", "strid =")
    said = maskwatch("model", "check", str(write_model(tmp_path / "x", network(), description)))
    assert said.code == 1
    assert "input.strid is not a key that a segmenter.toml has (the nearest is stride)." in said.err
    (tmp_path / "empty").mkdir()
    said = maskwatch("model", "check", str(tmp_path / "empty"))
    assert said.code == 1
    assert "is none that Maskwatch hosts: a folder has one of model.onnx, config" in said.err
