"""What makes the reference segmenter fast changes nothing that it answers."""

import numpy as np
import pytest
import torch
from torch.nn import functional as fn

from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.network import (
    ReferenceNetwork,
    fold_network,
    normalise,
)
from inference.segmenters.reference.training.segmenter import TorchSegmenter


@pytest.fixture(scope="module")
def network() -> ReferenceNetwork:
    """Random weights, with batch norms that have seen something."""
    torch.manual_seed(5)
    network = ReferenceNetwork(len(LABELS))
    with torch.no_grad():
        for _ in range(3):
            network(normalise(torch.rand(2, 3, 48, 64)))
    return network.eval()


def _as_batch(size: tuple[int, int]) -> torch.Tensor:
    image = draw_figure(7, size).image
    return torch.from_numpy(image.transpose(2, 0, 1).copy()).float()[None] / 255


def test_a_folded_network_answers_the_same(network: ReferenceNetwork) -> None:
    pictures = normalise(_as_batch((96, 144)))
    with torch.no_grad():
        assert torch.allclose(fold_network(network)(pictures), network(pictures), atol=1e-4)


def test_folding_leaves_the_network_as_it_was(network: ReferenceNetwork) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fold_network(network)
    after = network.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_gradients_reach_the_pixels_of_a_picture(network: ReferenceNetwork) -> None:
    picture = _as_batch((60, 90)).requires_grad_()
    logits = TorchSegmenter(network, digest="").logits(picture)
    (gradient,) = torch.autograd.grad(logits.square().mean(), picture)
    assert gradient.shape == picture.shape
    assert (gradient != 0).float().mean() > 0.9


@pytest.mark.parametrize("size", [(96, 144), (300, 200), (20, 24), (7, 5)])
def test_each_pixel_gets_its_likeliest_label(
    network: ReferenceNetwork, size: tuple[int, int]
) -> None:
    segmenter, picture = TorchSegmenter(network, digest=""), _as_batch(size)
    with torch.no_grad():
        fine = fn.interpolate(segmenter.logits(picture), (size[1], size[0]), mode="bilinear")
    best, second = fine.topk(2, dim=1).values.unbind(dim=1)
    certain = (best - second)[0].numpy() > 1e-4
    expected = fine.argmax(dim=1)[0].numpy()
    found = segmenter.parse(draw_figure(7, size).image).label_map
    assert certain.mean() > 0.9
    assert np.array_equal(found[certain], expected[certain])


def test_a_mirrored_picture_gets_mirrored_labels(network: ReferenceNetwork) -> None:
    segmenter, picture = TorchSegmenter(network, digest=""), _as_batch((96, 144))
    with torch.no_grad():
        straight, mirrored = segmenter.logits(picture), segmenter.logits(picture.flip(-1))
    assert torch.allclose(straight, mirrored.flip(-1), atol=1e-4)
