"""From the colours that answers had to a palette in the order of its indices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inference.upstream.answers.formats import Colour

Order = Literal["rgb", "bgr"]

_BITS = 8
# Of Pascal VOC, which most human parsers took over: its own labels first, then all that exist.
_USUAL = 20
_MOST = 255


@dataclass(frozen=True)
class LearnedPalette:
    """A palette, with what is to be said of it.

    Attributes:
        order: how the upstream writes a colour.
    """

    colours: tuple[Colour, ...]
    order: Order
    sentence: str | None = None


def order_colours(colours: Sequence[Colour]) -> LearnedPalette:
    """Pascal VOC's palette where all colours are of it, else black and the others as they came.

    >>> order_colours([(0, 0, 0), (0, 0, 64)]).order
    'bgr'
    """
    known = [_colour_of(index) for index in range(_MOST)]
    places: dict[tuple[int, ...], int] = {colour: index for index, colour in enumerate(known)}
    tops = {}
    for order, step in (("rgb", 1), ("bgr", -1)):
        indices = [places.get(colour[::step], _MOST) for colour in colours]
        if max(indices) < _MOST:
            tops[order] = max(indices)
    if not tops:
        ordered = sorted(colours, key=lambda colour: colour != (0, 0, 0))
        return LearnedPalette(tuple(ordered), "rgb", _UNKNOWN)
    lengths = {order: max(_USUAL, top + 1) for order, top in tops.items()}
    best: Order = "bgr" if lengths.get("bgr", _MOST + 1) < lengths.get("rgb", _MOST + 1) else "rgb"
    is_clear = len(set(lengths.values())) == len(lengths)
    return LearnedPalette(tuple(known[: lengths[best]]), best, None if is_clear else _EITHER)


def _colour_of(index: int) -> Colour:
    """The colour of an index: its bits are dealt to red, green and blue in turn."""
    values = [0, 0, 0]
    for place in range(_BITS):
        for channel in range(3):
            values[channel] |= ((index >> (3 * place + channel)) & 1) << (_BITS - 1 - place)
    return values[0], values[1], values[2]


_UNKNOWN = (
    "The palette is none that is known here: its colours stand as they came, so put them into the "
    "order of the labels, and add those that did not come."
)
_EITHER = (
    "The palette is that of Pascal VOC; whether red or blue comes first could not be told by these "
    "colours, so check `order`."
)
