"""From queries to maps, on masks that can be read by eye."""

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.segmenters.m2fp.masks import class_probabilities, draw_several, draw_single
from inference.segmenters.m2fp.preparation import Frame

FRAME = Frame((32, 32), (32, 32))
HIGH = 12.0
# Background, face, arm, person; the fifth logit says nothing.
PERSON = 3


def _classes(*rows: dict[int, float]) -> Tensor:
    """Logits of probabilities; what is not given goes to `nothing`."""
    shares = torch.full((len(rows), 5), 1e-6)
    for row, given in enumerate(rows):
        for index, share in given.items():
            shares[row, index] = share
        shares[row, 4] += 1 - sum(given.values())
    return shares.log()


def _masks(*columns: slice) -> Tensor:
    """Masks of 8 × 8 that are inside in some columns."""
    masks = torch.full((len(columns), 8, 8), -HIGH)
    for row, place in enumerate(columns):
        masks[row, :, place] = HIGH
    return masks


def _several(classes: Tensor, masks: Tensor, size: tuple[int, int] = (32, 32)) -> list[np.ndarray]:
    drawn = draw_several(classes, masks, FRAME, size, PERSON, 0.5)
    assert drawn.persons is not None
    return [drawn.label_map, drawn.persons]


def test_the_surer_part_lies_on_top() -> None:
    classes = _classes({1: 0.9}, {2: 0.6})
    label_map, _ = _several(classes, _masks(slice(0, 4), slice(2, 8)))
    assert set(np.unique(label_map[:, :14])) == {1}
    assert set(np.unique(label_map[:, 18:])) == {2}


def test_an_unsure_part_and_the_background_are_not_drawn() -> None:
    classes = _classes({1: 0.09}, {0: 0.99})
    label_map, _ = _several(classes, _masks(slice(0, 8), slice(0, 8)))
    assert not label_map.any()


def test_a_query_may_be_a_part_and_a_person() -> None:
    classes = _classes({2: 0.3, PERSON: 0.65})
    label_map, persons = _several(classes, _masks(slice(0, 8)))
    assert (label_map == 2).all()
    assert (persons == 1).all()


def test_persons_are_numbered_by_how_sure_the_model_is() -> None:
    classes = _classes({PERSON: 0.6}, {PERSON: 0.95}, {PERSON: 0.4})
    _, persons = _several(classes, _masks(slice(0, 4), slice(4, 8), slice(0, 8)))
    assert persons[0, 0] == 2
    assert persons[0, -1] == 1


def test_a_large_picture_gets_a_map_of_its_size() -> None:
    label_map, persons = _several(_classes({1: 0.9}), _masks(slice(0, 4)), (3000, 2000))
    assert label_map.shape == persons.shape == (3000, 2000)
    assert (label_map[:, :900] == 1).all()
    assert not label_map[:, 1100:].any()


def test_without_a_sure_query_nobody_is_there() -> None:
    label_map, persons = _several(_classes({}, {}), _masks(slice(0, 8), slice(0, 8)))
    assert not label_map.any()
    assert not persons.any()


def test_one_person_is_the_likeliest_label_of_each_pixel() -> None:
    classes = _classes({0: 0.8}, {1: 0.7})
    drawn = draw_single(classes, _masks(slice(4, 8), slice(0, 4)), 3, FRAME, (32, 32))
    assert drawn.persons is None
    assert (drawn.label_map[:, :14] == 1).all()
    assert (drawn.label_map[:, 18:] == 0).all()


def test_probabilities_add_up_even_where_no_query_looked() -> None:
    found = class_probabilities(_classes({1: 0.9}), _masks(slice(0, 4)), 3, FRAME)
    assert found.shape == (3, 8, 8)
    assert found.sum(0).tolist() == [pytest.approx([1.0] * 8)] * 8
    assert found[1, 0, 0] == pytest.approx(1, abs=1e-3)
    nobody = class_probabilities(_classes({}), _masks(slice(0, 4)), 3, FRAME)
    assert nobody[0].min() == pytest.approx(1)


def test_the_padding_is_cut_off() -> None:
    frame = Frame((21, 30), (32, 32), top=4, left=0)
    found = class_probabilities(_classes({1: 0.9}), _masks(slice(0, 4)), 3, frame)
    assert found.shape == (3, 6, 8)
