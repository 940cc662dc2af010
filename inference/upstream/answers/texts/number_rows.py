"""Nested lists of numbers, which may be most of an answer, in blocks of rows."""

import json
import re
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.json_cursor import JsonCursor

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Signs = npt.NDArray[np.uint8]

_END_OF_ROWS = re.compile(rb"\][ \t\r\n]*\]")
_TWO_SIGNS = re.compile(rb"\[[ \t\r\n]*([^ \t\r\n])")
_BLANKS = b" \t\r\n"
# As most writers of JSON have them, with a blank or without.
_SEPARATORS = (b",", b", ")
_ENDS = (b"", b".0")
_OPEN = ord("[")
# Text of one number, with blanks.
_MAX_NUMBER_BYTES = 64
_MAX_ROW_BYTES = 1 << 20
_MAX_AXES = 5


def read_mask(cursor: JsonCursor, height: int, width: int, threshold: float) -> Mask:
    """Rows of numbers as a mask ``(height, width)``: where they are larger than the threshold.

    Raises:
        AnswerUnreadable: it is something else, or of another size.
    """
    mask, row = np.empty((height, width), dtype=np.bool_), 0
    cursor.take("[")
    while not cursor.take_if("]"):
        if row:
            cursor.take(",")
            cursor.peek()
        block = _take_rows(cursor, _MAX_NUMBER_BYTES * (width + 1))
        rows = _compare(_parse_rows(block, width), threshold)
        if row + len(rows) > height:
            raise _wrong_size()
        mask[row : row + len(rows)] = rows
        row += len(rows)
    if row < height:
        raise _wrong_size()
    return mask


def _take_rows(cursor: JsonCursor, max_bytes: int) -> bytes:
    """Whole rows, as many as are in memory, without the bracket around all of them."""
    while True:
        match = _END_OF_ROWS.search(cursor.buffer, cursor.at)
        stop = match.start() + 1 if match else cursor.buffer.rfind(b"]", cursor.at) + 1
        if stop:
            block, cursor.at = cursor.buffer[cursor.at : stop], stop
            return block
        if len(cursor.buffer) - cursor.at > max_bytes:
            raise AnswerUnreadable("The answer has a row that is longer than it may be.")
        if not cursor.grow():
            raise AnswerUnreadable("The answer ends too early.")


def _parse_rows(block: bytes, width: int) -> npt.NDArray[Any]:
    """Rows ``(n, width)`` of a text of rows with commas between them."""
    digits = _parse_digits(block, width)
    if digits is not None:
        return digits
    rows = _parse_numbers(b"[" + block + b"]")
    if rows.ndim != 2 or rows.shape[1] != width:
        raise _wrong_size()
    return rows


def _parse_digits(block: bytes, width: int) -> npt.NDArray[np.uint8] | None:
    """Rows of zeros and ones, however they are written; ``None`` if anything else is there.

    Written in one way, all rows of such numbers are equally long: a table of signs, whose columns
    are checked at once. That is twenty times faster than reading number by number, and holds up no
    other thread, as taking blanks out of the text would.
    """
    for end, separator in product(_ENDS, _SEPARATORS):
        digits = _read_table(block, width, separator, end)
        if digits is not None:
            return digits
    # In this order no text that is no JSON turns into one.
    text = block.replace(b"1.0", b"1").replace(b"0.0", b"0")
    text = text.replace(b"true", b"1").replace(b"false", b"0").translate(None, _BLANKS)
    return _read_table(text, width, b",")


def _read_table(
    text: bytes, width: int, separator: bytes, end: bytes = b""
) -> npt.NDArray[np.uint8] | None:
    """Rows of zeros and ones, if all are written alike.

    Signs are compared with those of a row of zeros: nothing may differ but the last bit of digits.
    """
    zeros, fixed_bits = _write_zeros(width, separator, end)
    length = len(zeros)
    if (len(text) + len(separator)) % length:
        return None
    signs = np.frombuffer(text + separator, dtype=np.uint8).reshape(-1, length)
    changed = signs ^ zeros
    if (changed & fixed_bits).max():
        return None
    return changed[:, 1 : length - 1 - len(separator) : 1 + len(end) + len(separator)]


@lru_cache(maxsize=16)
def _write_zeros(width: int, separator: bytes, end: bytes) -> tuple[Signs, Signs]:
    """The signs of a row of zeros, and which of their bits are the same in all rows.

    A row is a bracket, numbers with separators behind all but the last, a bracket, a separator; a
    number is a digit and an end.
    """
    zeros = b"[" + separator.join([b"0" + end] * width) + b"]" + separator
    fixed_bits = np.full(len(zeros), 0xFF, dtype=np.uint8)
    step = 1 + len(end) + len(separator)
    fixed_bits[1 : 1 + step * width : step] = 0xFE
    return np.frombuffer(zeros, dtype=np.uint8), fixed_bits


def _compare(rows: npt.NDArray[Any], threshold: float) -> Mask:
    """Where numbers are larger; zeros and ones say it themselves, with a threshold between them."""
    if rows.dtype == np.uint8 and 0 <= threshold < 1:
        return rows.view(np.bool_)
    return np.asarray(rows > threshold)


def read_array(cursor: JsonCursor, max_values: int) -> npt.NDArray[np.float32]:
    """A regular nested list of numbers, of any number of axes up to five.

    Raises:
        AnswerUnreadable: it is something else, irregular, or has more values.
    """
    values = array("f")
    shape = _read_axis(cursor, values, max_values, _MAX_AXES)
    return np.frombuffer(values, dtype=np.float32).reshape(shape) if values else _no_values()


def _read_axis(
    cursor: JsonCursor, values: "array[float]", max_values: int, axes: int
) -> tuple[int, ...]:
    """The shape of a list whose numbers are appended to ``values``."""
    cursor.take("[")
    if cursor.peek() != _OPEN:
        return (_read_row(cursor, values, max_values),)
    if not _is_next_nested(cursor):
        return _read_rows(cursor, values, max_values)
    if axes == 2:
        raise AnswerUnreadable("The answer has a list that is nested too deeply.")
    shapes: set[tuple[int, ...]] = set()
    count = 0
    while count == 0 or cursor.take_if(","):
        shapes.add(_read_axis(cursor, values, max_values, axes - 1))
        count += 1
        if len(shapes) > 1:
            raise _irregular()
    cursor.take("]")
    return (count, *shapes.pop())


def _is_next_nested(cursor: JsonCursor) -> bool:
    """Whether the list that comes next begins with a list."""
    while (match := _TWO_SIGNS.match(cursor.buffer, cursor.at)) is None:
        if len(cursor.buffer) - cursor.at > _MAX_ROW_BYTES or not cursor.grow():
            raise _no_numbers()
    return match.group(1) == b"["


def _read_rows(cursor: JsonCursor, values: "array[float]", max_values: int) -> tuple[int, int]:
    """How many rows a list has that is open already, and how long they are."""
    count = width = 0
    while count == 0 or cursor.take_if(","):
        cursor.peek()
        rows = _parse_numbers(b"[" + _take_rows(cursor, _MAX_ROW_BYTES) + b"]")
        if rows.ndim != 2 or (count and rows.shape[1] != width):
            raise _irregular()
        _append(values, rows, max_values)
        count, width = count + rows.shape[0], rows.shape[1]
    cursor.take("]")
    return count, width


def _read_row(cursor: JsonCursor, values: "array[float]", max_values: int) -> int:
    """How many numbers a list has that is open already."""
    start = len(values)
    for block in _iterate_blocks(cursor):
        _append(values, _parse_numbers(b"[" + block + b"]"), max_values)
    return len(values) - start


def _append(values: "array[float]", numbers: Numbers, max_values: int) -> None:
    if len(values) + numbers.size > max_values:
        raise AnswerUnreadable("The answer has more numbers than a picture needs.")
    with np.errstate(over="ignore"):
        values.frombytes(numbers.astype(np.float32).tobytes())


def _iterate_blocks(cursor: JsonCursor) -> Iterator[bytes]:
    """The text of numbers up to the end of their list, in blocks that end between two of them."""
    is_continued = False
    while True:
        end = cursor.buffer.find(b"]", cursor.at)
        stop = end if end >= 0 else cursor.buffer.rfind(b",", cursor.at)
        if stop >= 0:
            block, cursor.at = cursor.buffer[cursor.at : stop], stop + 1
            if not block.strip(_BLANKS) and (is_continued or end < 0):
                raise _no_numbers()
            yield block
            if end >= 0:
                return
            is_continued = True
        elif len(cursor.buffer) - cursor.at > _MAX_NUMBER_BYTES:
            raise _no_numbers()
        if end < 0 and not cursor.grow():
            raise AnswerUnreadable("The answer ends too early.")


def _parse_numbers(text: bytes) -> Numbers:
    """A JSON array of numbers, or of rows of them.

    Without a function of ours for each number, which would take five times as long.
    """
    try:
        values = np.array(json.loads(text, parse_constant=_refuse_constant))
    except (ValueError, RecursionError):
        raise _no_numbers() from None
    if values.dtype.kind not in "biuf":
        raise _no_numbers()
    return values.astype(np.float64)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _no_values() -> npt.NDArray[np.float32]:
    raise AnswerUnreadable("The answer has an empty list where numbers belong.")


def _no_numbers() -> AnswerUnreadable:
    return AnswerUnreadable("The answer has something else where numbers belong.")


def _irregular() -> AnswerUnreadable:
    return AnswerUnreadable("The answer has a list whose rows are not equally long.")


def _wrong_size() -> AnswerUnreadable:
    return AnswerUnreadable("The answer has a mask that is not of the picture's size.")
