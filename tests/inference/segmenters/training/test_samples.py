"""How often training shows each sample."""

import numpy as np

from inference.segmenters.reference.labels import Label
from inference.segmenters.reference.training.data import Sample
from inference.segmenters.reference.training.samples import epoch_order, repeats


def _samples(count: int, rare: int) -> list[Sample]:
    """Samples of which the first ``rare`` hold a hat."""
    common = np.array([[Label.BACKGROUND, Label.FACE]], np.uint8)
    with_hat = np.array([[Label.HAT, Label.FACE]], np.uint8)
    image = np.zeros((1, 2, 3), np.uint8)
    return [Sample(str(i), image, with_hat if i < rare else common) for i in range(count)]


def test_a_sample_with_a_rare_label_is_shown_more_often() -> None:
    often = repeats(_samples(40, 3))
    assert (often[:3] == np.sqrt(0.3 / (3 / 40))).all()
    assert (often[3:] == 1).all()


def test_an_epoch_keeps_its_length_and_favours_what_is_rare() -> None:
    often = repeats(_samples(40, 3))
    random = np.random.default_rng(0)
    orders = [epoch_order(often, 8, random) for _ in range(50)]
    assert {order.shape for order in orders} == {(5, 8)}
    shown = np.bincount(np.concatenate(orders).ravel(), minlength=40)
    assert shown[:3].mean() > 1.4 * shown[3:].mean()


def test_without_repeats_an_epoch_shows_every_sample_once() -> None:
    order = epoch_order(np.ones(16), 4, np.random.default_rng(1))
    assert sorted(order.ravel()) == list(range(16))
