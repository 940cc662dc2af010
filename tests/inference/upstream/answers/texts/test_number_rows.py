"""Arrays against the standard library, however the text is cut."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.json_cursor import JsonCursor
from inference.upstream.answers.texts.number_rows import read_array, read_mask

SHAPES = arrays.array_shapes(min_dims=1, max_dims=5, max_side=4)
NUMBERS = st.floats(-1e6, 1e6, width=32) | st.integers(-5, 300).map(float)


def _cursor(text: str, length: int) -> JsonCursor:
    data = text.encode()
    return JsonCursor(data[at : at + length] for at in range(0, len(data), length))


@given(values=arrays.arrays(np.float64, SHAPES, elements=NUMBERS), length=st.integers(1, 40))
def test_an_array_comes_back_with_its_shape(values: npt.NDArray[np.float64], length: int) -> None:
    array = read_array(_cursor(json.dumps(values.tolist()), length), values.size)
    assert array.dtype == np.float32
    assert np.array_equal(array, values.astype(np.float32))


def test_more_values_than_wanted_are_refused() -> None:
    for text in ("[1, 2, 3]", "[[1], [2], [3]]", "[[[1]], [[2]], [[3]]]"):
        assert read_array(_cursor(text, 4), 3).size == 3
        with pytest.raises(AnswerUnreadable, match="more numbers"):
            read_array(_cursor(text, 4), 2)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[", "[]", "[[]]", "[[],[]]", "[1,]", "[,1]", "[1,,2]", "[1 2]", "1", "{}", "null"),
        *("[[1],[2,3]]", "[[1],2]", "[1,[2]]", "[[1],[[2]]]", "[[[1]],[2]]", "[[1] [2]]"),
        *("[[[[[[1]]]]]]", '["1"]', "[null]", "[NaN]", "[1e]", "[[1],]", "[[[1],],]", "[[[1]],]"),
    ],
)
@pytest.mark.parametrize("length", [1, 2, 100])
def test_what_is_no_regular_list_of_numbers_is_refused(text: str, length: int) -> None:
    with pytest.raises(AnswerUnreadable):
        read_array(_cursor(text, length), 100)


MASKS = arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=2, max_side=6))
WRITERS = [
    lambda mask: json.dumps(mask.astype(int).tolist()),
    lambda mask: json.dumps(mask.astype(int).tolist(), separators=(",", ":")),
    lambda mask: json.dumps(mask.astype(float).tolist()),
    lambda mask: json.dumps(mask.astype(float).tolist(), separators=(",", ":")),
    lambda mask: json.dumps(mask.tolist()),
    lambda mask: json.dumps(mask.astype(int).tolist(), indent=1),
]


def _read(text: str, mask: npt.NDArray[np.bool_], length: int) -> npt.NDArray[np.bool_]:
    """A mask of the size of another one."""
    height, width = mask.shape
    return read_mask(_cursor(text, length), height, width, 0.5)


@given(mask=MASKS, writer=st.sampled_from(WRITERS), length=st.integers(1, 60))
def test_a_mask_comes_back_however_it_is_written(
    mask: npt.NDArray[np.bool_], writer: Callable[[Any], str], length: int
) -> None:
    assert np.array_equal(_read(writer(mask), mask, length), mask)


@given(mask=MASKS, writer=st.sampled_from(WRITERS[:4]), data=st.data())
def test_a_mask_with_another_sign_in_it_is_read_as_json_is(
    mask: npt.NDArray[np.bool_], writer: Callable[[Any], str], data: st.DataObject
) -> None:
    text = bytearray(writer(mask).encode())
    text[data.draw(st.integers(1, len(text) - 2))] = data.draw(st.sampled_from(b"019,. []-/:"))
    try:
        expected = np.array(json.loads(text)) > 0.5
    except (ValueError, TypeError):
        expected = None
    if expected is None or expected.shape != mask.shape:
        with pytest.raises(AnswerUnreadable):
            _read(text.decode(), mask, 100)
    else:
        assert np.array_equal(_read(text.decode(), mask, 100), expected)
