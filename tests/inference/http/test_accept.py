import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.http.accept import Answer, choose


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        (None, Answer.MASKS),
        ("", Answer.MASKS),
        ("*/*", Answer.MASKS),
        ("image/png", Answer.COMPOSITE),
        ("image/*", Answer.COMPOSITE),
        ("image/vnd.maskwatch.labels+png", Answer.LABELS),
        ("image/png;q=0.2, application/json;q=0.9", Answer.MASKS),
        ("text/html, image/*;q=0.8, */*;q=0.1", Answer.COMPOSITE),
        ("image/*, image/png;q=0", Answer.LABELS),
        ("text/html", None),
        ("application/json;q=0", None),
    ],
)
def test_chooses_the_best_answer(accept: str | None, answer: Answer | None) -> None:
    assert choose(accept) is answer


@given(st.text(max_size=100))
def test_any_header_gives_an_answer_or_none(accept: str) -> None:
    assert choose(accept) in {None, *Answer}


def test_a_header_longer_than_any_client_sends_is_not_read() -> None:
    ranges = "text/html," * 98 + "*/*"
    assert choose(ranges) is Answer.MASKS
    assert choose(ranges + "," * 1_000) is None
