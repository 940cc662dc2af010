"""How a picture lies for an upstream, and how its parse is brought to the picture as we hold it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from detectors.parsing import Image, Parsing
from inference.gate.screen import Decoded
from inference.upstream.answers.pictures.one_hot import resize_parsing

Turn = Callable[[Any], Any]

# From a picture as it lies in its file to the upright one (EXIF 2.3, tag 0x0112); rows and columns
# are the last two axes.
_TURNS: dict[int, Turn] = {
    2: lambda values: values[..., :, ::-1],
    3: lambda values: values[..., ::-1, ::-1],
    4: lambda values: values[..., ::-1, :],
    5: lambda values: values.swapaxes(-1, -2),
    6: lambda values: values.swapaxes(-1, -2)[..., :, ::-1],
    7: lambda values: values[..., ::-1, ::-1].swapaxes(-1, -2),
    8: lambda values: values.swapaxes(-1, -2)[..., ::-1, :],
}
_FIRST_LYING = 5
# Which turn undoes a turn, where that is another one.
_OPPOSITES = {6: 8, 8: 6}


@dataclass(frozen=True)
class Frame:
    """A picture as an upstream sees it.

    Attributes:
        height: pixels, of the picture that the upstream decodes.
        width: likewise.
        orientation: how far it is from upright there, as EXIF numbers it, 1 to 8.
    """

    height: int
    width: int
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width


def frame_sent(decoded: Decoded, *, applies_exif: bool) -> Frame:
    """How an upstream sees the file of a picture.

    Args:
        applies_exif: whether it turns pictures as their EXIF data says.
    """
    in_file = decoded.in_file
    if not applies_exif:
        return Frame(in_file.height, in_file.width, in_file.orientation)
    if in_file.orientation >= _FIRST_LYING:
        return Frame(in_file.width, in_file.height)
    return Frame(in_file.height, in_file.width)


def frame_encoded(decoded: Decoded) -> Frame:
    """How an upstream sees a picture that was encoded anew, upright."""
    height, width = decoded.image.shape[:2]
    return Frame(height, width)


def bring_upright(parsing: Parsing, frame: Frame, decoded: Decoded) -> Parsing:
    """The parse of a picture as we hold it, from that of the picture as the upstream saw it."""
    turned = turn_parsing(parsing, frame.orientation)
    height, width = decoded.image.shape[:2]
    if turned.label_map.shape == (height, width):
        return turned
    return resize_parsing(turned, (height, width))


def lay_picture(image: Image, orientation: int) -> Image:
    """An upright picture ``(H, W, 3)`` as one with this orientation lies in its file."""
    turn = _TURNS.get(_OPPOSITES.get(orientation, orientation))
    if turn is None:
        return image
    return np.ascontiguousarray(np.moveaxis(turn(np.moveaxis(image, -1, 0)), 0, -1))


def turn_parsing(parsing: Parsing, orientation: int) -> Parsing:
    """The upright parse, from that of a picture which lies as EXIF numbers it."""
    turn = _TURNS.get(orientation)
    if turn is None:
        return parsing
    persons = None if parsing.persons is None else np.ascontiguousarray(turn(parsing.persons))
    return replace(
        parsing,
        probabilities=np.ascontiguousarray(turn(parsing.probabilities)),
        label_map=np.ascontiguousarray(turn(parsing.label_map)),
        persons=persons,
    )
