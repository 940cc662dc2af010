"""``maskwatch feedback``: people confirm and dismiss requests and families."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.engine.start import open_database
from store.settings import StoreSettings
from tests.labelled_traffic import Labelled
from tests.maskwatch.conftest import Run


def test_a_family_is_confirmed(maskwatch: Run, request_ids: list[str]) -> None:
    said = maskwatch("feedback", "confirm", "1", "--reason", "They attack.")
    assert said.out == "Family 1 is confirmed, 3 requests.\n"
    assert len(request_ids) == 3
    assert "Feedback: Confirmed by" in maskwatch("families", "show", "1").out


@pytest.mark.usefixtures("request_ids")
@pytest.mark.parametrize(
    ("verb", "state"), [("confirm", "growing, confirmed"), ("dismiss", "growing, dismissed")]
)
def test_the_list_says_that_a_family_was_judged(maskwatch: Run, verb: str, state: str) -> None:
    assert state not in maskwatch("families", "list").out
    maskwatch("feedback", verb, "1", "--reason", "I looked at all of them.")
    assert state in maskwatch("families", "list").out
    maskwatch("feedback", "withdraw", "1", "--reason", "I looked again.")
    assert state not in maskwatch("families", "list").out


def test_a_request_is_dismissed(maskwatch: Run, request_ids: list[str]) -> None:
    said = maskwatch("feedback", "dismiss", request_ids[0], "--reason", "It is ours.")
    assert said.out == f"Request {request_ids[0]} is dismissed.\n"


@pytest.mark.usefixtures("request_ids")
def test_what_was_said_is_taken_back(maskwatch: Run) -> None:
    maskwatch("feedback", "confirm", "1", "--reason", "They attack.")
    said = maskwatch("feedback", "withdraw", "1", "--reason", "They do not.")
    assert said.out == "Family 1, 3 requests: what was said is taken back.\n"
    assert "Feedback" not in maskwatch("families", "show", "1").out


def test_what_nobody_said_cannot_be_taken_back(maskwatch: Run, request_ids: list[str]) -> None:
    for subject, name in (("1", "family 1 or of its requests"), (request_ids[0], "request ")):
        said = maskwatch("feedback", "withdraw", subject, "--reason", "They do not.")
        assert said.code == 1
        assert f"Nobody said anything of {name}" in said.err
    assert "feedback" not in maskwatch("audit", "list").out


def test_what_was_said_of_one_request_is_taken_back_with_its_family(
    maskwatch: Run, request_ids: list[str]
) -> None:
    maskwatch("feedback", "confirm", request_ids[0], "--reason", "It attacks.")
    assert maskwatch("feedback", "withdraw", "1", "--reason", "It does not.").code == 0
    said = maskwatch("feedback", "withdraw", request_ids[0], "--reason", "It does not.")
    assert "Nobody said anything" in said.err


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


@pytest.fixture
def labelled(tmp_path: Path) -> Iterator[Labelled]:
    with closing(open_database(StoreSettings(var_dir=tmp_path / "var"))) as database:
        yield Labelled(database, tmp_path / "var", datetime.now(UTC))


def test_the_oddest_vetted_requests_are_proposed(maskwatch: Run, labelled: Labelled) -> None:
    common, odd = labelled.unselected(0.4), labelled.unselected(0.02)
    lines = maskwatch("feedback", "propose").out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == [odd, common]
    assert "p-value 0.0200" in lines[0]
    maskwatch("feedback", "dismiss", odd, "--reason", "A rare phone.")
    assert odd not in maskwatch("feedback", "propose").out


def test_nothing_left_to_vet_is_a_sentence(maskwatch: Run, request_ids: list[str]) -> None:
    assert len(request_ids) == 3
    assert maskwatch("feedback", "propose").out.startswith("Nothing is left to vet")
