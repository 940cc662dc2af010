"""The weights file: what is written is read, and everything else is refused in a sentence."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inference.figures import draw_figure
from inference.segmenters.base import ModelError
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.network import ReferenceNetwork
from inference.segmenters.reference.segmenter import (
    DEFAULT_WEIGHTS,
    WORKING_PIXELS,
    ReferenceSegmenter,
    working_size,
)
from inference.segmenters.reference.weights import FORMAT, read_weights, write_weights

SETTING = "MASKWATCH_MODEL"


def _tensors(seed: int = 0) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return ReferenceNetwork(len(LABELS)).state_dict()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "models" / "weights.safetensors"


def _refused(file: Path) -> str:
    with pytest.raises(ModelError) as caught:
        ReferenceSegmenter.load(file)
    sentence = str(caught.value)
    assert str(file) in sentence
    assert SETTING in sentence
    assert not caught.value.retryable
    return sentence


def test_what_is_written_is_read_in_single_precision(file: Path) -> None:
    tensors = _tensors()
    write_weights(file, tensors, {"epoch": 3})
    weights = read_weights(file)
    assert weights.digest == sha256(file.read_bytes()).hexdigest()
    assert set(weights.tensors) == set(tensors)
    for name, tensor in tensors.items():
        read = weights.tensors[name]
        assert read.dtype == (torch.float32 if tensor.is_floating_point() else tensor.dtype)
        assert torch.allclose(read.double(), tensor.double(), atol=2e-3), name
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_same_weights_make_the_same_segmenter(file: Path) -> None:
    write_weights(file, _tensors(), {})
    first, second = ReferenceSegmenter.load(file), ReferenceSegmenter.load(file)
    picture = draw_figure(2, (48, 64)).image
    assert first.digest == second.digest
    assert np.array_equal(first.parse(picture).probabilities, second.parse(picture).probabilities)


def test_a_missing_file_is_named(file: Path) -> None:
    assert "No such file" in _refused(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read" in _refused(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_damaged(file: Path, kept: int) -> None:
    write_weights(file, _tensors(), {})
    file.write_bytes(file.read_bytes()[:kept])
    assert "damaged" in _refused(file)


def test_a_file_of_another_kind_is_damaged(file: Path) -> None:
    file.parent.mkdir()
    torch.save({"head": torch.zeros(3)}, file)
    assert "no safetensors file" in _refused(file)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"format": FORMAT + "0"}])
def test_weights_of_another_segmenter_are_told_apart(
    file: Path, metadata: dict[str, str] | None
) -> None:
    file.parent.mkdir()
    save_file(_tensors(), file, metadata)
    assert "not made for the reference segmenter" in _refused(file)


@pytest.mark.parametrize("change", ["missing", "surplus", "shape"])
def test_weights_of_another_version_are_told_apart(file: Path, change: str) -> None:
    tensors = _tensors()
    if change == "missing":
        del tensors["head.bias"]
    else:
        name = "head.bias" if change == "shape" else "moon.bias"
        tensors[name] = torch.zeros(3)
    write_weights(file, tensors, {})
    assert "another version" in _refused(file)


def test_the_shipped_file_is_usable() -> None:
    assert set(read_weights(DEFAULT_WEIGHTS).tensors) == set(_tensors())


@pytest.mark.parametrize("size", [(1, 1), (8, 12_000), (12_000, 8), (640, 480), (333, 777)])
def test_the_network_sees_multiples_of_its_stride_at_a_bounded_cost(size: tuple[int, int]) -> None:
    rows, columns = working_size(*size)
    assert rows % 16 == columns % 16 == 0
    assert min(rows, columns) >= 32
    assert rows * columns <= 1.3 * WORKING_PIXELS
