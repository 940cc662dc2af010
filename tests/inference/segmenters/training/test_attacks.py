"""Attacks on a small network with random weights: its gradients are as real as a trained one's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.parsing import Image
from detectors.parts import PartGroup, group_mask
from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.attacks import (
    changed_share,
    pgd,
    remove_part,
    square_search,
)
from inference.segmenters.reference.training.network import ReferenceNetwork, normalise
from inference.segmenters.reference.training.segmenter import TorchSegmenter

EPSILON = 4
GREY = np.full((24, 20, 3), 128, dtype=np.uint8)


@pytest.fixture(scope="module")
def picture() -> Image:
    return draw_figure(3, (96, 144)).image


@pytest.fixture(scope="module")
def random_segmenter(picture: Image) -> TorchSegmenter:
    """Random weights whose logits are centred, so that every label wins somewhere."""
    torch.manual_seed(0)
    network = ReferenceNetwork(len(LABELS)).eval()
    pixels = torch.from_numpy(picture.transpose(2, 0, 1).copy()).float()[None] / 255
    with torch.no_grad():
        logits = network(normalise(pixels))
        mean, spread = logits.mean((0, 2, 3)), logits.std((0, 2, 3))
        network.head.weight.div_(spread[:, None, None, None])
        network.head.bias.sub_(mean).div_(spread)  # type: ignore[union-attr]
    return TorchSegmenter(network, digest="")


@pytest.fixture(scope="module")
def attacked(random_segmenter: TorchSegmenter, picture: Image) -> Image:
    return pgd(random_segmenter, picture, epsilon=EPSILON, steps=4, seed=1)


def _distance(first: Image, second: Image) -> int:
    return int(np.abs(first.astype(int) - second).max())


def test_the_perturbation_stays_within_epsilon(picture: Image, attacked: Image) -> None:
    assert attacked.shape == picture.shape
    assert attacked.dtype == np.uint8
    assert 0 < _distance(picture, attacked) <= EPSILON


def test_black_and_white_do_not_overflow(random_segmenter: TorchSegmenter) -> None:
    picture = np.zeros((24, 20, 3), dtype=np.uint8)
    picture[:, 10:] = 255
    attacked = pgd(random_segmenter, picture, epsilon=EPSILON, steps=1, seed=1)
    assert 0 < _distance(picture, attacked) <= EPSILON


def test_gradients_change_more_than_noise_of_the_same_size(
    random_segmenter: TorchSegmenter, picture: Image, attacked: Image
) -> None:
    signs = np.random.default_rng(0).choice((-EPSILON, EPSILON), picture.shape)
    noisy = np.clip(picture + signs, 0, 255).astype(np.uint8)
    by_noise = changed_share(random_segmenter, picture, noisy)
    assert changed_share(random_segmenter, picture, attacked) > 1.2 * by_noise


def test_the_seed_decides_where_an_attack_starts(
    random_segmenter: TorchSegmenter, picture: Image
) -> None:
    first, again, other = (
        pgd(random_segmenter, picture, epsilon=EPSILON, steps=0, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_part_is_removed(random_segmenter: TorchSegmenter, picture: Image) -> None:
    groups = (PartGroup.TORSO,)
    attacked = remove_part(random_segmenter, picture, groups, epsilon=EPSILON, steps=4, seed=1)
    before, after = (
        group_mask(random_segmenter.parse(image), *groups).sum() for image in (picture, attacked)
    )
    assert _distance(picture, attacked) <= EPSILON
    assert after < 0.9 * before


def test_nothing_changes_between_equal_pictures(
    random_segmenter: TorchSegmenter, picture: Image
) -> None:
    assert changed_share(random_segmenter, picture, picture) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.integers(1, 60), st.integers(3, 40), st.integers(3, 40))
def test_every_query_of_a_search_stays_within_epsilon(
    seed: int, epsilon: int, height: int, width: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    pictures = list(
        square_search(image, lambda _: seed % 2 == 0, epsilon=epsilon, queries=6, seed=seed)
    )
    assert len(pictures) == 6
    assert all(picture.dtype == np.uint8 for picture in pictures)
    assert max(_distance(image, picture) for picture in pictures) <= epsilon


def test_a_search_is_the_same_for_the_same_seed_and_answers() -> None:
    def search(seed: int) -> list[Image]:
        return list(
            square_search(GREY, lambda p: int(p.sum()) % 2 == 0, epsilon=8, queries=10, seed=seed)
        )

    assert np.array_equal(search(1), search(1))
    assert not np.array_equal(search(1), search(2))


def _differing_columns_and_rows(first: Image, second: Image) -> tuple[int, int]:
    changed = (first != second).any(axis=2)
    return int(changed.any(axis=0).sum()), int(changed.any(axis=1).sum())


def test_a_search_keeps_what_was_better_and_drops_the_rest() -> None:
    """Two queries in a row differ in one new square each, on top of what was kept."""
    kept: list[Image] = []
    scores: list[int] = []

    def brighter(picture: Image) -> bool:
        better = not scores or int(picture.sum()) > max(scores)
        if better:
            scores.append(int(picture.sum()))
            kept.append(picture)
        return better

    queries = 40
    largest = round(0.4 * 20)
    for picture in square_search(GREY, brighter, epsilon=8, queries=queries, seed=3):
        if kept:
            columns, rows = _differing_columns_and_rows(kept[-1], picture)
            assert max(columns, rows) <= largest
    assert 2 <= len(kept) < queries
    assert scores == sorted(scores)
