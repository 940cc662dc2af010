"""Augmentation: pictures and labels stay together, and every kind of picture comes up."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from inference.figures import draw_figure
from inference.segmenters.reference.labels import Label
from inference.segmenters.reference.training.augment import augment_batch, mix_batch
from inference.segmenters.reference.training.crowd import crowd, empty_place, join_people
from inference.segmenters.reference.training.data import Pair, Sample, Size
from inference.segmenters.reference.training.framing import close_up, whole_body

Augment = Callable[[Sequence[Sample], Size, np.random.Generator], list[Pair]]
SIZE = (48, 64)


def _person(seed: int) -> Sample:
    """A picture whose brightness says its label."""
    figure = draw_figure(seed, (48, 72))
    plain = np.repeat(figure.label_map[..., None], 3, axis=2) * 17
    return Sample(f"person-{seed}", plain.astype(np.uint8), figure.label_map)


def _nobody() -> Sample:
    return Sample("nobody", np.full((72, 48, 3), 90, np.uint8), np.zeros((72, 48), np.uint8))


def _belong_together(pair: Pair) -> None:
    image, label_map = pair
    assert image.shape == (*label_map.shape, 3)
    assert image.dtype == label_map.dtype == np.uint8
    assert label_map.max() <= max(Label)


@pytest.mark.parametrize("augment", [augment_batch, mix_batch])
@pytest.mark.parametrize("seed", range(8))
def test_augmentation_keeps_picture_and_labels_together(augment: Augment, seed: int) -> None:
    sample = _person(seed)
    # Seeds in this range include single people and pairs in halves, upright and on their side.
    for pair in augment([sample] * 2, SIZE, np.random.default_rng(seed)):
        _belong_together(pair)
        assert set(np.unique(pair[1])) <= set(np.unique(sample.label_map))


@pytest.mark.parametrize("seed", range(8))
def test_a_warped_picture_still_shows_what_its_labels_say(seed: int) -> None:
    for frame in (whole_body, close_up):
        image, label_map = frame(_person(seed), SIZE, np.random.default_rng(seed))
        brightness = image.mean(axis=2)
        assert brightness[label_map > 6].mean() > brightness[label_map == 0].mean()


def _middle(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    rows, columns = np.indices(values.shape)
    return np.array([np.average(rows, weights=values), np.average(columns, weights=values)])


@pytest.mark.parametrize("size", [(24, 36), (48, 72), (90, 130)])
def test_labels_do_not_slip_off_their_picture(size: Size) -> None:
    """Also where a picture is made smaller first."""
    labels = np.zeros((72, 48), np.uint8)
    labels[20:52, 16:30] = 1
    sample = Sample("square", np.repeat(labels[..., None] * 255, 3, axis=2), labels)
    slips = []
    for seed in range(30):
        image, found = whole_body(sample, size, np.random.default_rng(seed))
        slips.append(_middle(image[..., 0]) - _middle(found))
    assert np.abs(np.mean(slips, axis=0)).max() < 0.1


@pytest.mark.parametrize("augment", [augment_batch, mix_batch])
def test_the_same_random_numbers_augment_the_same_way(augment: Augment) -> None:
    samples = [_person(seed) for seed in range(3)]
    first, again = (augment(samples, SIZE, np.random.default_rng(4)) for _ in range(2))
    for (image, labels), (same_image, same_labels) in zip(first, again, strict=True):
        assert np.array_equal(image, same_image)
        assert np.array_equal(labels, same_labels)


def test_a_batch_has_one_shape_and_some_lie_on_their_side() -> None:
    random = np.random.default_rng(0)
    batches = [mix_batch([_person(1)] * 3, SIZE, random) for _ in range(30)]
    shapes = [{labels.shape for _, labels in batch} for batch in batches]
    assert all(len(shape) == 1 for shape in shapes)
    assert set.union(*shapes) == {(64, 48), (48, 64)}


def test_a_close_up_shows_more_of_a_person_than_the_whole_body_does() -> None:
    random = np.random.default_rng(2)
    near, far = (
        np.mean([(frame(_person(2), SIZE, random)[1] > 0).mean() for _ in range(20)])
        for frame in (close_up, whole_body)
    )
    assert near > 1.5 * far


@pytest.mark.parametrize("seed", range(5))
def test_an_empty_place_holds_nobody(seed: int) -> None:
    for sample in (_person(seed), _nobody()):
        pair = empty_place(sample, SIZE, np.random.default_rng(seed))
        _belong_together(pair)
        assert not pair[1].any()


def test_a_crowd_holds_more_than_one_person_does() -> None:
    people = [_person(seed) for seed in range(4)]
    one, four = (
        np.mean(
            [(crowd(people[:n], SIZE, np.random.default_rng(s))[1] > 0).mean() for s in range(20)]
        )
        for n in (1, 4)
    )
    assert four > 1.5 * one


def test_a_pasted_person_hides_what_lies_below() -> None:
    hat = np.full((72, 48), Label.HAT, np.uint8)
    other = Sample("hat", np.full((72, 48, 3), 200, np.uint8), hat)
    found = [join_people(_person(1), [other], SIZE, np.random.default_rng(s)) for s in range(10)]
    for image, labels in found:
        _belong_together((image, labels))
        assert (labels == Label.HAT).any()
        assert image[labels == Label.HAT].mean() > 100


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_without_people_may_be_asked_for_anything(seed: int) -> None:
    random = np.random.default_rng(seed)
    pairs = [
        close_up(_nobody(), SIZE, random),
        crowd([_nobody()] * 2, SIZE, random),
        join_people(_nobody(), [_nobody()], SIZE, random),
    ]
    for pair in pairs:
        _belong_together(pair)
        assert not pair[1].any()
