"""COCO's run-length encoding, read with every run checked before it is drawn."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.documents import show

Runs = npt.NDArray[np.int64]

# Six bits a sign: five of the number, the lowest first, and whether more follow.
_FIRST_SIGN, _LAST_SIGN = 48, 48 + 63
_BITS, _MORE, _MINUS = 5, 32, 16
# Differences of runs of the largest pictures need six signs.
_MAX_SIGNS = 7
# A mask of a large picture has a few ten thousand runs.
_MAX_TEXT = 1 << 20


def read_runs(value: object, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The mask ``(H, W)`` of an object with ``size`` and ``counts``.

    Raises:
        AnswerUnreadable: it is something else, or of another size.
    """
    if not isinstance(value, Mapping) or not {"size", "counts"} <= set(value):
        raise AnswerUnreadable("The answer has something else where a run-length mask belongs.")
    if value["size"] != list(size):
        raise AnswerUnreadable(
            f"The answer has a mask of the size {show(value['size'])}, which is not the upload's."
        )
    return _draw_runs(_read_counts(value["counts"]), size)


def _draw_runs(runs: Runs, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Runs of background and mask in turn, column by column."""
    height, width = size
    # Each is bounded first, so that the sum cannot wrap round.
    if runs.size and (runs.min() < 0 or runs.max() > height * width):
        raise _broken()
    if runs.sum() != height * width:
        raise _broken()
    columns = np.repeat(np.arange(runs.size) % 2 == 1, runs)
    return np.ascontiguousarray(columns.reshape(width, height).T)


def _read_counts(counts: object) -> Runs:
    if isinstance(counts, str):
        return unpack_counts(counts)
    # Booleans are whole numbers to Python, and none here.
    if not isinstance(counts, list) or any(type(count) is not int for count in counts):
        raise _broken()
    try:
        return np.array(counts, dtype=np.int64)
    except OverflowError:
        raise _broken() from None


def unpack_counts(text: str) -> Runs:
    """The runs behind COCO's text.

    >>> unpack_counts("52203").tolist()
    [5, 2, 2, 2, 5]

    Raises:
        AnswerUnreadable: it is no such text.
    """
    if len(text) > _MAX_TEXT or not text.isascii():
        raise _broken()
    signs = np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64)
    if not signs.size or signs.min() < _FIRST_SIGN or signs.max() > _LAST_SIGN:
        raise _broken()
    numbers = _join_signs(signs - _FIRST_SIGN)
    # From the fourth run on, a number is the difference from the run before the last.
    runs = numbers.copy()
    runs[1::2] = np.cumsum(numbers[1::2])
    runs[2::2] = np.cumsum(numbers[2::2])
    return runs


def _join_signs(signs: Runs) -> Runs:
    """Numbers of groups of signs, of which all but the last say that more follow."""
    ends = np.flatnonzero((signs & _MORE) == 0)
    if not ends.size or ends[-1] != signs.size - 1:
        raise _broken()
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MAX_SIGNS:
        raise _broken()
    places = np.arange(signs.size) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((signs & (_MORE - 1)) << (_BITS * places), starts)
    is_negative = (signs[ends] & _MINUS) != 0
    return np.asarray(numbers - (is_negative << (_BITS * lengths)), dtype=np.int64)


def _broken() -> AnswerUnreadable:
    return AnswerUnreadable("The answer has a run-length mask that does not fill the picture.")
