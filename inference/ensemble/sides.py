"""Left and right in label names: a mirrored person's left arm is a right one."""

from collections.abc import Sequence

_OTHER_SIDE = {"left": "right", "right": "left"}


def mirrored_order(labels: Sequence[str]) -> tuple[int, ...]:
    """Which channel of a mirrored look belongs in each channel of the picture's own.

    >>> mirrored_order(("background", "Left-arm", "Face", "Right-arm"))
    (0, 3, 2, 1)
    """
    places = {_words(label): place for place, label in enumerate(labels)}
    return tuple(
        places.get(tuple(_OTHER_SIDE.get(word, word) for word in _words(label)), place)
        for place, label in enumerate(labels)
    )


def _words(label: str) -> tuple[str, ...]:
    return tuple(label.lower().replace("-", " ").replace("_", " ").split())
