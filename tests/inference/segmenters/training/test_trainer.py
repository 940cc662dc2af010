"""One training step: the loss, the label weights and the two copies of the network."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.data import Pair, Sample
from inference.segmenters.reference.training.network import ReferenceNetwork
from inference.segmenters.reference.training.recipe import CROWDS
from inference.segmenters.reference.training.trainer import (
    Trainer,
    blend_networks,
    class_weights,
    correct_bias,
    loss_of,
)


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


def test_dice_counts_as_much_as_it_is_told() -> None:
    truth = torch.tensor([[[0, 4], [8, 12]]])
    wrong, even = torch.zeros((1, len(LABELS), 2, 2)), torch.ones(len(LABELS))
    none, once, twice = (float(loss_of(wrong, truth, even, dice)) for dice in (0, 1, 2))
    assert twice - once == pytest.approx(once - none)
    assert once > none


def _pairs() -> list[Pair]:
    figures = [draw_figure(seed, (32, 48)) for seed in range(4)]
    return [(figure.image, figure.label_map) for figure in figures]


def test_steps_on_the_same_pictures_lower_the_loss() -> None:
    torch.manual_seed(3)
    trainer = Trainer(ReferenceNetwork(len(LABELS)), CROWDS, 12, torch.ones(len(LABELS)), 0.0)
    losses = [trainer.step(_pairs()) for _ in range(12)]
    assert losses[-1] < losses[0]


def test_the_average_follows_the_network_slowly() -> None:
    torch.manual_seed(3)
    network = ReferenceNetwork(len(LABELS))
    start = network.head.weight.detach().clone()
    trainer = Trainer(network, CROWDS, 4, torch.ones(len(LABELS)), 0.0)
    for _ in range(4):
        trainer.step(_pairs())
    moved = (trainer.network.head.weight - start).abs().sum()
    change = (trainer.copy_average().head.weight - start).abs().sum()
    assert 0 < change < moved


def test_a_correction_takes_back_what_the_weights_taught() -> None:
    network, weights = ReferenceNetwork(len(LABELS)), torch.linspace(0.5, 2, len(LABELS))
    after, before = (
        n.state_dict()["head.bias"] for n in (correct_bias(network, weights, 0.5), network)
    )
    assert torch.allclose(after - before, -0.5 * weights.log(), atol=1e-6)
    unchanged = correct_bias(network, weights, 0.0).state_dict()
    assert all(torch.equal(unchanged[name], t) for name, t in network.state_dict().items())


def test_blended_weights_lie_between_start_and_end() -> None:
    start, end = ReferenceNetwork(len(LABELS)), ReferenceNetwork(len(LABELS))
    ends = (start.head.weight, end.head.weight)
    for share, expected in (
        (0.0, ends[1]),
        (0.25, torch.lerp(ends[1], ends[0], 0.25)),
        (1.0, ends[0]),
    ):
        assert torch.allclose(blend_networks(start, end, share).head.weight, expected, atol=1e-6)


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_norms_keep_their_statistics(frozen: bool) -> None:
    torch.manual_seed(3)
    network, stage = ReferenceNetwork(len(LABELS)), replace(CROWDS, frozen_norms=frozen)
    trainer = Trainer(network, stage, 2, torch.ones(len(LABELS)), 0.0)
    before = [buffer.clone() for buffer in network.buffers()]
    trainer.step(_pairs())
    same = [torch.equal(a, b) for a, b in zip(before, network.buffers(), strict=True)]
    assert all(same) if frozen else not any(same)
