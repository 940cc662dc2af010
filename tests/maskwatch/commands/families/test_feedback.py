"""``maskwatch feedback``: people confirm and dismiss requests and families."""

import pytest

from tests.maskwatch.conftest import Run


def test_a_family_is_confirmed(maskwatch: Run, request_ids: list[str]) -> None:
    said = maskwatch("feedback", "confirm", "1", "--reason", "They attack.")
    assert said.out == "Family 1 is confirmed, 3 requests.\n"
    assert len(request_ids) == 3
    assert "Feedback: Confirmed by" in maskwatch("families", "show", "1").out


def test_a_request_is_dismissed(maskwatch: Run, request_ids: list[str]) -> None:
    said = maskwatch("feedback", "dismiss", request_ids[0], "--reason", "It is ours.")
    assert said.out == f"Request {request_ids[0]} is dismissed.\n"


@pytest.mark.usefixtures("request_ids")
def test_what_was_said_is_taken_back(maskwatch: Run) -> None:
    maskwatch("feedback", "confirm", "1", "--reason", "They attack.")
    said = maskwatch("feedback", "withdraw", "1", "--reason", "They do not.")
    assert said.out == "Family 1, 3 requests: what was said is taken back.\n"
    assert "Feedback" not in maskwatch("families", "show", "1").out


@pytest.mark.usefixtures("request_ids")
@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ("9", "There is no family 9."),
        ("x", "x is neither the id of a request nor a family's number."),
        ("9" * 30, "neither the id of a request nor a family's number."),
        ("00000000-0000-4000-8000-000000000000", "There is no request 00000000-"),
    ],
)
def test_what_is_not_there_is_one_sentence(maskwatch: Run, subject: str, sentence: str) -> None:
    said = maskwatch("feedback", "confirm", subject, "--reason", "They attack.")
    assert said.code == 1
    assert sentence in said.err
    assert said.err.count("\n") == 1
