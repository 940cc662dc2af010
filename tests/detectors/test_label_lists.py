"""The four label lists, and one spelling for their labels."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import label_lists, parts
from detectors.label_lists import LABEL_LISTS, label_words, mirror_labels


def test_the_lists_have_their_authors_lengths_and_begin_with_the_background() -> None:
    lengths = {name: len(labels) for name, labels in LABEL_LISTS.items()}
    assert lengths == {"CIHP": 20, "LIP": 20, "ATR": 18, "reference": 15}
    assert {label_words(labels[0]) for labels in LABEL_LISTS.values()} == {"background"}
    assert LABEL_LISTS["CIHP"].index("Torso-skin") == LABEL_LISTS["LIP"].index("Jumpsuits") == 10


@pytest.mark.parametrize("name", LABEL_LISTS)
def test_no_two_labels_of_a_list_have_the_same_words(name: str) -> None:
    labels = LABEL_LISTS[name]
    assert len({label_words(label) for label in labels}) == len(labels)


@pytest.mark.parametrize("name", LABEL_LISTS)
def test_a_label_is_known_in_any_spelling(name: str) -> None:
    for label in LABEL_LISTS[name]:
        words = label_words(label)
        assert words == words.lower() == words.strip()
        for gap in ("", " ", "_", "-", " - "):
            for spelled in (words, words.upper(), words.title()):
                assert label_words(spelled.replace(" ", gap)) == words


@given(st.text(max_size=30))
def test_words_are_their_own_spelling(label: str) -> None:
    assert label_words(label_words(label)) == label_words(label)


def test_left_and_right_parts_swap_when_mirrored() -> None:
    cihp = LABEL_LISTS["CIHP"]
    mirrored = mirror_labels(cihp)
    assert mirrored[:14] == tuple(range(14))
    assert mirrored[14:] == (15, 14, 17, 16, 19, 18)
    assert mirror_labels(LABEL_LISTS["reference"]) == tuple(range(15))


@pytest.mark.parametrize("name", LABEL_LISTS)
def test_mirroring_twice_changes_nothing(name: str) -> None:
    mirrored = np.array(mirror_labels(LABEL_LISTS[name]))
    assert mirrored[mirrored].tolist() == list(range(len(mirrored)))


def test_the_examples_hold() -> None:
    for module in (label_lists, parts):
        assert doctest.testmod(module).failed == 0
