"""ONNX Runtime answers what the torch network of the same file answers."""

import numpy as np
import pytest
import torch

from detectors.parsing import Image
from inference.figures import draw_figure
from inference.segmenters.reference.segmenter import (
    WORKING_PIXELS,
    ReferenceSegmenter,
    working_size,
)
from inference.segmenters.reference.session import NetworkSession
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from inference.supply.verified import open_model

# Height and width: portrait, landscape, square, tiny, thin, huge, and sides that no stride divides.
SIZES = [(600, 400), (333, 777), (512, 512), (1, 1), (7, 5), (3, 900), (900, 3), (1600, 1100)]


@pytest.fixture(scope="module")
def twin() -> TorchSegmenter:
    return TorchSegmenter.load(DEFAULT_WEIGHTS)


@pytest.fixture(scope="module")
def served() -> ReferenceSegmenter:
    return ReferenceSegmenter.load(DEFAULT_WEIGHTS)


def _picture(height: int, width: int, seed: int = 1) -> Image:
    """A drawn figure where there is room for one, noise elsewhere."""
    if min(height, width) >= 64:
        return draw_figure(seed, (width, height)).image
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def _on_torch(twin: TorchSegmenter, image: Image, scale: float = 1.0) -> np.ndarray:
    """All of it on torch, resizing included."""
    batch = torch.from_numpy(image.transpose(2, 0, 1).copy()).float()[None] / 255
    with torch.inference_mode():
        probabilities: np.ndarray = twin.logits(batch, scale).softmax(dim=1)[0].numpy()
    return probabilities


@pytest.mark.parametrize("size", [size for size in SIZES if size[0] * size[1] <= 1_000_000])
@pytest.mark.parametrize("scale", [1.0, 0.75])
def test_probabilities_are_those_of_torch(
    served: ReferenceSegmenter, twin: TorchSegmenter, size: tuple[int, int], scale: float
) -> None:
    picture = _picture(*size)
    (found,) = served.probabilities([picture], scale)
    assert np.abs(found - _on_torch(twin, picture, scale)).max() < 1e-4


@pytest.mark.parametrize("size", SIZES)
def test_a_parse_is_the_one_of_torch(
    served: ReferenceSegmenter, twin: TorchSegmenter, size: tuple[int, int]
) -> None:
    picture = _picture(*size)
    found, expected = served.parse(picture), twin.parse(picture)
    assert np.abs(found.probabilities - expected.probabilities).max() < 1e-4
    assert (found.label_map == expected.label_map).mean() > 0.999


@pytest.mark.parametrize("count", [2, 5])
def test_a_batch_is_the_one_of_torch(
    served: ReferenceSegmenter, twin: TorchSegmenter, count: int
) -> None:
    pictures = [_picture(300, 200, seed) for seed in range(count)]
    for found, picture in zip(served.probabilities(pictures), pictures, strict=True):
        assert np.abs(found - _on_torch(twin, picture)).max() < 1e-4


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(served: ReferenceSegmenter, threads: int) -> None:
    model = open_model(DEFAULT_WEIGHTS)
    segmenter = ReferenceSegmenter(NetworkSession(model, threads), model.digest)
    picture = _picture(300, 200)
    difference = segmenter.parse(picture).probabilities - served.parse(picture).probabilities
    assert np.abs(difference).max() < 1e-5


@pytest.mark.parametrize("size", [(1, 1), (8, 16_384), (16_384, 8), (640, 480), (333, 777)])
def test_the_network_sees_multiples_of_its_stride_at_a_bounded_cost(size: tuple[int, int]) -> None:
    rows, columns = working_size(*size)
    assert rows % 16 == columns % 16 == 0
    assert min(rows, columns) >= 32
    assert rows * columns <= 1.3 * WORKING_PIXELS
