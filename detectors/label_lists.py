"""The label lists of human-parsing data sets, and one spelling for their labels."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

BACKGROUND = "background"

# Labels stand in the order of their indices, spelled as their authors spell them.
LABEL_LISTS: Mapping[str, tuple[str, ...]] = {
    "CIHP": (
        *("Background", "Hat", "Hair", "Glove", "Sunglasses", "UpperClothes", "Dress", "Coat"),
        *("Socks", "Pants", "Torso-skin", "Scarf", "Skirt", "Face", "Left-arm", "Right-arm"),
        *("Left-leg", "Right-leg", "Left-shoe", "Right-shoe"),
    ),
    "LIP": (
        *("Background", "Hat", "Hair", "Glove", "Sunglasses", "UpperClothes", "Dress", "Coat"),
        *("Socks", "Pants", "Jumpsuits", "Scarf", "Skirt", "Face", "Left-arm", "Right-arm"),
        *("Left-leg", "Right-leg", "Left-shoe", "Right-shoe"),
    ),
    "ATR": (
        *("Background", "Hat", "Hair", "Sunglasses", "Upper-clothes", "Skirt", "Pants", "Dress"),
        *("Belt", "Left-shoe", "Right-shoe", "Face", "Left-leg", "Right-leg", "Left-arm"),
        *("Right-arm", "Bag", "Scarf"),
    ),
    "reference": (
        *("background", "hat", "hair", "glasses", "upper_clothes", "coat", "dress", "skirt"),
        *("pants", "socks", "shoes", "bag", "face", "arm", "leg"),
    ),
}

_OTHER_SIDE = {"left": "right", "right": "left", "l": "r", "r": "l"}


@lru_cache(maxsize=1024)
def label_words(label: str) -> str:
    """A label in plain words, the same for every spelling of it; tables are kept by these words.

    >>> {label_words(each) for each in ("UpperClothes", "upper_clothes", "Upper-clothes")}
    {'upper clothes'}
    >>> label_words("upperclothes"), label_words("torso skin"), label_words("ThirdArm")
    ('upper clothes', 'torso skin', 'third arm')
    """
    words = _split_words(label)
    return _WORDS_WITHOUT_GAPS.get(words.replace(" ", ""), words)


def mirror_labels(labels: Sequence[str]) -> tuple[int, ...]:
    """Where each label goes when the picture is mirrored: left parts and right parts swap.

    ``probabilities[list(mirror_labels(labels))]`` of a mirrored picture, mirrored back, has its
    classes in the order of the original. A label without a partner stays where it is.

    >>> mirror_labels(("Background", "Face", "Left-arm", "Right-arm", "Left-shoe"))
    (0, 1, 3, 2, 4)
    """
    index_of = {label_words(label): index for index, label in enumerate(labels)}
    partners = (_mirror_words(label_words(label)) for label in labels)
    return tuple(index_of.get(words, index) for index, words in enumerate(partners))


def _mirror_words(words: str) -> str:
    side, _, part = words.partition(" ")
    return f"{_OTHER_SIDE.get(side, side)} {part}".strip()


def _split_words(label: str) -> str:
    """Words in lower case where capitals, hyphens, underscores or spaces separate them."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", label)
    return " ".join(re.split(r"[\s_-]+", text)).strip().lower()


_WORDS_WITHOUT_GAPS = {
    _split_words(label).replace(" ", ""): _split_words(label)
    for labels in LABEL_LISTS.values()
    for label in labels
}
