"""Whatever an upstream sends ends in a parsing or one sentence; what is cut off is never read."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.read_answer import read_answer
from tests.inference.upstream.answers.answer_cases import CASES, SIZE, TABLE
from tests.inference.upstream.answers.hostile.outcomes import check_outcome, read_or_say_why


@pytest.mark.parametrize("name", CASES)
@given(data=st.binary(max_size=400))
def test_any_bytes_end_in_a_parsing_or_a_sentence(name: str, data: bytes) -> None:
    case = CASES[name]
    check_outcome(read_or_say_why(case.form, data, content_type=case.content_type))


KEYS = (
    *("masks", "labels", "scores", "label", "mask", "size", "counts", "outputs", "shape"),
    *("datatype", "name", "predictions", "image", "path", "annotations", "data", "msg", "output"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 300) | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), children, max_size=4)
    ),
    max_leaves=30,
)


@pytest.mark.parametrize("name", CASES)
@given(document=JSON)
def test_any_json_ends_in_a_parsing_or_a_sentence(name: str, document: object) -> None:
    case = CASES[name]
    check_outcome(
        read_or_say_why(case.form, json.dumps(document).encode(), content_type=case.content_type)
    )


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_a_changed_answer_ends_in_a_parsing_or_a_sentence(name: str, data: st.DataObject) -> None:
    case = CASES[name]
    start = data.draw(st.integers(0, len(case.body)))
    stop = data.draw(st.integers(start, min(len(case.body), start + 20)))
    middle = data.draw(st.binary(max_size=8) | st.sampled_from([b"[", b"]", b",", b'"', b"-1"]))
    body = case.body[:start] + middle + case.body[stop:]
    with suppress(AnswerUnreadable):
        check_outcome(read_answer(case.form, TABLE, case.content_type, body, SIZE, case.files))


@pytest.mark.parametrize("name", CASES)
def test_no_answer_that_is_cut_off_is_read(name: str) -> None:
    case = CASES[name]
    # An event, or the end of a PNG, may be missing its last bytes.
    for length in range(0, len(case.body) - 14, 7):
        with pytest.raises(AnswerUnreadable):
            read_answer(case.form, TABLE, case.content_type, case.body[:length], SIZE, case.files)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [(7, 9), (9, 8), (1, 63), (18, 14)])
def test_no_answer_for_a_picture_of_another_size_is_read(name: str, size: tuple[int, int]) -> None:
    case = CASES[name]
    with pytest.raises(AnswerUnreadable):
        read_answer(case.form, TABLE, case.content_type, case.body, size, case.files)
