"""The reference segmenter's 15 labels."""

from enum import IntEnum


class Label(IntEnum):
    """Label indices, as they stand in label maps and weights."""

    BACKGROUND = 0
    HAT = 1
    HAIR = 2
    GLASSES = 3
    UPPER_CLOTHES = 4
    COAT = 5
    DRESS = 6
    SKIRT = 7
    PANTS = 8
    SOCKS = 9
    SHOES = 10
    BAG = 11
    FACE = 12
    ARM = 13
    LEG = 14


LABELS: tuple[str, ...] = tuple(label.name.lower() for label in Label)
