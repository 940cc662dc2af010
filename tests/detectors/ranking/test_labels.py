"""Labels: what counts for how much, and when they are enough."""

from dataclasses import replace

import pytest

from detectors.ranking.labels import MAX_OF_GROUP, MAX_OF_PERSON, MIN_LABELS
from tests.detectors.ranking.drawn_labels import draw_labels, weigh


def test_fifty_labels_of_both_answers_and_many_senders_are_enough() -> None:
    count = weigh(draw_labels(MIN_LABELS, signal=1)).count
    assert count.suffices
    assert count.sentence == "50 labels, 25 confirmed and 25 dismissed."


@pytest.mark.parametrize(
    ("confirmed", "dismissed", "sentence"),
    [
        (25, 24, "49 of 50 labels, 25 confirmed and 24 dismissed. An order is learnt from 50 on"),
        (60, 0, "60 labels, 60 confirmed and 0 dismissed. It takes at least 10 of each answer."),
        (0, 0, "0 of 50 labels, 0 confirmed and 0 dismissed."),
    ],
)
def test_what_is_missing_is_said(confirmed: int, dismissed: int, sentence: str) -> None:
    labels = draw_labels(200, signal=1)
    chosen = [
        *[each for each in labels if each.is_attack][:confirmed],
        *[each for each in labels if not each.is_attack][:dismissed],
    ]
    count = weigh(chosen).count
    assert not count.suffices
    assert count.sentence.startswith(sentence)


def test_a_family_counts_as_five_however_large_it_is() -> None:
    family = [replace(each, ties=("network 0", "family 7")) for each in draw_labels(300, signal=1)]
    labels = weigh(family)
    assert labels.count.given == 300
    assert labels.weights.sum() == pytest.approx(MAX_OF_GROUP)


def test_families_that_share_a_network_are_one_group() -> None:
    one, other, third = draw_labels(3, signal=1)
    joined = [one, other, replace(third, ties=("network 0", "family 1"))]
    assert set(weigh(joined).groups.tolist()) == {0}


def test_all_of_few_families_are_not_enough_whatever_they_count_as() -> None:
    labels = draw_labels(80, signal=1, of_group=20)
    large = [each for each in labels if each.is_attack]
    count = weigh([*large, *draw_labels(100, signal=0)[::2]]).count
    assert (count.confirmed, count.confirmed_groups) == (10, 2)
    assert "at least 5 families or networks of each answer" in count.sentence


def test_one_person_does_not_outweigh_all_others() -> None:
    many = draw_labels(400, signal=1, who="ada")
    few = [
        replace(each, who="bob", ties=(f"network b{number}",))
        for number, each in enumerate(draw_labels(130, signal=1))
    ]
    assert weigh(many).weights.sum() == pytest.approx(MAX_OF_PERSON)
    assert weigh([*many, *few]).weights.sum() == pytest.approx(MAX_OF_PERSON + 130 + 30)


def test_no_label_at_all_is_no_fault() -> None:
    labels = weigh([])
    assert labels.rows.shape[0] == 0
    assert labels.count.counted == 0
