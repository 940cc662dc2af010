"""The cursor against the standard library, however the text is cut."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.documents import find_value
from inference.upstream.answers.texts.json_cursor import JsonCursor, walk_document

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just('\\"\\\\'),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children),
    max_leaves=12,
)


def _cut(text: bytes, length: int) -> Iterator[bytes]:
    return (text[at : at + length] for at in range(0, len(text), length))


@given(value=VALUES, other=VALUES, length=st.integers(1, 9), is_spaced=st.booleans())
def test_it_reads_one_value_and_skips_the_others(
    value: object, other: object, length: int, is_spaced: bool
) -> None:
    document = {"a": other, "b/c": [other, value, other], "d": other}
    text = json.dumps(document, indent=1 if is_spaced else None, ensure_ascii=is_spaced).encode()
    values = []
    walk_document(
        JsonCursor(_cut(text, length)),
        {"/b~1c/1": lambda cursor: values.append(cursor.read_value())},
    )
    assert values == [value] == [find_value(document, "/b~1c/1")]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b'{"a"',
        b'{"a":',
        b'{"a": 1',
        b'{"a": 1,}',
        b'{"a": 1 "b": 2}',
        b'{"b": 1, "b": 2, "a": 1}',
        b"{1: 2}",
        b'{"a": 1} {"a": 1}',
        b'{"a": 1}]',
        b'{"b": [}, "a": 1}',
        b'{"b": [1}, "a": 1}',
        b'{"b": "\\", "a": 1}',
        b'{"b": , "a": 1}',
        b'{"a": 01}',
        b'{"a": NaN}',
        b'{"a": "\n"}',
        b'{"\xff": 1, "a": 1}',
        b'{"b": 1}',
        b"[1]",
        b"1",
        b'"a"',
    ],
)
@pytest.mark.parametrize("length", [1, 100])
def test_what_is_no_json_or_has_nothing_there_is_refused(text: bytes, length: int) -> None:
    with pytest.raises(AnswerUnreadable):
        walk_document(JsonCursor(_cut(text, length)), {"/a": JsonCursor.read_value})


def test_the_rest_is_what_comes_behind() -> None:
    cursor = JsonCursor(iter([b'{"a": [1, 2', b"]} b", b"in"]))
    cursor.skip_value()
    assert b"".join(cursor.read_rest()) == b" bin"
