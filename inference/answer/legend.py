"""The legend of a colour composite: which colour is which label, and how much of it there is."""

from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from detectors.label_lists import label_words
from detectors.palette import Colour, colour_of
from detectors.parsing import Image, LabelMap, Parsing
from detectors.parts import PartGroup, group_of

PAPER = (255, 255, 255)
_INK = (31, 41, 55)
_QUIET = (152, 162, 179)
# A row is as high as is needed to read it, and grows with the picture.
_MIN_ROW, _MAX_ROW, _ROWS_PER_PICTURE = 20, 40, 32
_MAX_LETTERS = 22
_ORDER = {group: place for place, group in enumerate(PartGroup)}

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class LegendRow:
    """One line: a label, its colour if it is drawn, and its share of the picture in words."""

    words: str
    share: str = ""
    colour: Colour | None = None


def legend_rows(parsing: Parsing) -> tuple[LegendRow, ...]:
    """The labels that are present from head to foot, then the rest of the picture.

    The first row counts persons where the model tells them apart, or says that there is none.
    """
    areas = _areas(parsing.label_map)
    shares = areas / parsing.label_map.size
    present = [int(index) for index in np.flatnonzero(areas) if index != 0]
    present.sort(key=lambda index: (_place(parsing.parts[index]), index))
    rows = [_row(parsing.labels[i], shares[i], colour_of(parsing.parts[i])) for i in present]
    return (*_heading(parsing, present), *rows, _row(parsing.labels[0], shares[0], None))


def draw_legend(parsing: Parsing, height: int) -> Image:
    """A panel of at least ``height`` rows of pixels; a long list stands in two columns."""
    rows = legend_rows(parsing)
    columns = 1 if (len(rows) + 1) * _MIN_ROW <= height else 2
    per_column = ceil(len(rows) / columns)
    pitch = int(np.clip(height // max(per_column + 1, _ROWS_PER_PICTURE), _MIN_ROW, _MAX_ROW))
    tall = max(height, (per_column + 1) * pitch)
    parts = [rows[start : start + per_column] for start in range(0, len(rows), per_column)]
    return np.hstack([_draw_column(part, tall, pitch) for part in parts])


def _areas(label_map: LabelMap) -> npt.NDArray[np.float64]:
    """Pixels of each label, without a copy of the label map."""
    return cv2.calcHist([label_map], [0], None, [256], [0, 256]).ravel().astype(np.float64)


def _place(label: str) -> int:
    group = group_of(label)
    return len(_ORDER) if group is None else _ORDER[group]


def _row(label: str, share: float, colour: Colour | None) -> LegendRow:
    words = label_words(label)
    if len(words) > _MAX_LETTERS:
        words = f"{words[: _MAX_LETTERS - 1]}…"
    percent = "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
    return LegendRow(words, percent, colour)


def _heading(parsing: Parsing, present: list[int]) -> tuple[LegendRow, ...]:
    if not present:
        return (LegendRow("no person"),)
    if parsing.persons is None:
        return ()
    count = np.count_nonzero(_areas(parsing.persons)[1:])
    return (LegendRow(f"{count} person{'' if count == 1 else 's'}"),)


def _draw_column(rows: tuple[LegendRow, ...], height: int, pitch: int) -> Image:
    font = ImageFont.load_default(size=round(pitch * 0.6))
    words_width = max(font.getlength(row.words) for row in rows)
    width = ceil(pitch * 2.7 + words_width + max(font.getlength(row.share) for row in rows))
    panel = Pillow.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(panel)
    for index, row in enumerate(rows):
        _draw_row(draw, row, font, (index + 1) * pitch, pitch)
    return np.array(panel, dtype=np.uint8)


def _draw_row(
    draw: ImageDraw.ImageDraw, row: LegendRow, font: Font, middle: int, pitch: int
) -> None:
    """A swatch, the words after it and the share at the right, around the row's middle."""
    left, side = pitch * 0.5, pitch * 0.35
    indent = left
    if row.share:
        box = (left, middle - side, left + 2 * side, middle + side)
        draw.rounded_rectangle(box, pitch * 0.15, fill=row.colour, outline=_QUIET)
        indent = pitch * 1.6
    draw.text((indent, middle), row.words, _INK, font, anchor="lm")
    width = draw.im.size[0]
    draw.text((width - pitch * 0.5, middle), row.share, _INK, font, anchor="rm")
