"""Loading a model folder, and what goes wrong with it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from detectors.label_lists import LABEL_LISTS
from inference.figures import draw_figure
from inference.segmenters.choice import Precision
from inference.segmenters.m2fp.configuration import CONFIGURATION
from inference.segmenters.m2fp.precision import device_named, format_of
from inference.segmenters.m2fp.segmenter import M2FPSegmenter
from inference.supply.errors import ModelError
from inference.supply.verified import open_model
from tests.inference.segmenters.conftest import SMALL_SIDE

WEIGHTS = "pytorch_model.pt"


@pytest.fixture
def folder(m2fp_folder: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(m2fp_folder, tmp_path / "model")


def _load(
    folder: Path, precision: Precision = Precision.FLOAT32, short_side: int = 64
) -> M2FPSegmenter:
    cpu = torch.device("cpu")
    return M2FPSegmenter.load(open_model(folder), cpu, precision, short_side=short_side)


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


@pytest.mark.parametrize(
    ("flags", "number_format"),
    [("flags\t\t: avx512f avx512_bf16 amx_bf16", torch.bfloat16), ("flags : avx2", torch.float32)],
)
def test_auto_takes_what_the_processor_multiplies(
    claim_processor: Callable[[str], None], flags: str, number_format: torch.dtype
) -> None:
    claim_processor(flags)
    cpu = device_named("cpu")
    assert format_of(Precision.AUTO, cpu) is number_format
    assert format_of(Precision.FLOAT32, cpu) is torch.float32
    assert format_of(Precision.BFLOAT16, cpu) is torch.bfloat16


@pytest.mark.parametrize(
    ("flags", "same"), [("flags : avx512_bf16 amx_bf16", "m2fp_bfloat16"), ("flags : avx2", "m2fp")]
)
def test_a_model_that_takes_auto_answers_in_that_precision(
    request: pytest.FixtureRequest,
    claim_processor: Callable[[str], None],
    m2fp_folder: Path,
    flags: str,
    same: str,
) -> None:
    claim_processor(flags)
    chosen = _load(m2fp_folder, Precision.AUTO, SMALL_SIDE)
    looks = [draw_figure(seed, (96, 144)).image for seed in range(2)]
    expected = request.getfixturevalue(same).probabilities(looks)
    assert np.array_equal(chosen.probabilities(looks), expected)


@pytest.mark.parametrize("name", ["m2fp_bfloat16", "m2fp_single_bfloat16"])
def test_what_else_is_looked_at_never_shows_in_bfloat16(
    request: pytest.FixtureRequest, name: str
) -> None:
    """A tolerance would be of the size of what detection measures."""
    segmenter: M2FPSegmenter = request.getfixturevalue(name)
    looks = [draw_figure(seed, (96, 144)).image for seed in range(3)]
    backwards = segmenter.probabilities(looks[::-1])[::-1]
    for look, together, turned in zip(
        looks, segmenter.probabilities(looks), backwards, strict=True
    ):
        (alone,) = segmenter.probabilities([look])
        assert np.array_equal(together, alone)
        assert np.array_equal(turned, alone)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="CUDA"):
        device_named("cuda")
    assert device_named("auto").type == "cpu"


@pytest.mark.parametrize("name", ["m2fp", "m2fp_bfloat16"])
def test_warming_up_changes_nothing(request: pytest.FixtureRequest, name: str) -> None:
    m2fp: M2FPSegmenter = request.getfixturevalue(name)
    picture = draw_figure(3, (60, 80)).image
    before = m2fp.parse(picture)
    m2fp.warm_up()
    assert np.array_equal(before.label_map, m2fp.parse(picture).label_map)
