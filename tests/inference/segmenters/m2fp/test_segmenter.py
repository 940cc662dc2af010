"""Loading a model folder, and what goes wrong with it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from detectors.label_lists import LABEL_LISTS
from inference.figures import draw_figure
from inference.segmenters.base import ModelError
from inference.segmenters.choice import Precision
from inference.segmenters.m2fp.configuration import CONFIGURATION
from inference.segmenters.m2fp.precision import device_named, format_of
from inference.segmenters.m2fp.segmenter import M2FPSegmenter
from inference.supply.verified import open_model

WEIGHTS = "pytorch_model.pt"


@pytest.fixture
def folder(m2fp_folder: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(m2fp_folder, tmp_path / "model")


def _load(folder: Path) -> M2FPSegmenter:
    return M2FPSegmenter.load(open_model(folder), torch.device("cpu"), short_side=64)


def _save(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    torch.save({"model": tensors}, folder / WEIGHTS)


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    found = torch.load(folder / WEIGHTS, weights_only=True)["model"]
    return dict(found)


def test_labels_are_the_parts_without_the_person(m2fp: M2FPSegmenter) -> None:
    assert len(m2fp.labels) == len(LABEL_LISTS["CIHP"]) == 20
    assert m2fp.labels[5] == "upper_clothes"
    assert m2fp.labels[14] == "left_arm"


def test_the_digest_is_that_of_the_whole_folder(m2fp: M2FPSegmenter, m2fp_folder: Path) -> None:
    assert m2fp.digest == open_model(m2fp_folder).digest


@pytest.mark.parametrize("name", [CONFIGURATION, WEIGHTS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        _load(folder)


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    tensors = _tensors(folder)
    gone = min(tensors)
    del tensors[gone]
    _save(folder, tensors)
    with pytest.raises(ModelError, match=f"{gone} is missing"):
        _load(folder)


def test_a_weight_too_many_is_refused(folder: Path) -> None:
    _save(folder, _tensors(folder) | {"backdoor.weight": torch.zeros(1)})
    with pytest.raises(ModelError, match=r"backdoor\.weight is not known"):
        _load(folder)


def test_what_a_training_left_behind_is_passed_over(folder: Path) -> None:
    _save(folder, _tensors(folder) | {"criterion.empty_weight": torch.ones(22)})
    assert _load(folder).name == "m2fp"


def test_safetensors_are_taken_as_well(folder: Path) -> None:
    safetensors.torch.save_file(_tensors(folder), folder / "model.safetensors")
    (folder / WEIGHTS).unlink()
    assert _load(folder).labels[0] == "background"


def test_a_label_list_that_no_detector_knows_is_refused(folder: Path) -> None:
    said = json.loads((folder / CONFIGURATION).read_text())
    said["model"]["classes"][1:] = [f"thing{i}" for i in range(20)]
    (folder / CONFIGURATION).write_text(json.dumps(said))
    with pytest.raises(ModelError, match="thing0"):
        _load(folder)


def test_a_network_that_cannot_be_built_is_refused(folder: Path) -> None:
    said = json.loads((folder / CONFIGURATION).read_text())
    del said["model"]["encoder"]["conv_dim"]
    (folder / CONFIGURATION).write_text(json.dumps(said))
    with pytest.raises(ModelError, match="cannot build a network"):
        _load(folder)


def test_bfloat16_is_chosen_only_where_it_pays() -> None:
    cpu = device_named("cpu")
    assert format_of(Precision.FLOAT32, cpu) is torch.float32
    assert format_of(Precision.BFLOAT16, cpu) is torch.bfloat16
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    wanted = torch.bfloat16 if "bf16" in flags else torch.float32
    assert format_of(Precision.AUTO, cpu) is wanted


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="CUDA"):
        device_named("cuda")
    assert device_named("auto").type == "cpu"


def test_warming_up_changes_nothing(m2fp: M2FPSegmenter) -> None:
    picture = draw_figure(3, (60, 80)).image
    before = m2fp.parse(picture)
    m2fp.warm_up()
    assert np.array_equal(before.label_map, m2fp.parse(picture).label_map)
