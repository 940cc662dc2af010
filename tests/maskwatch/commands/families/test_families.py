"""``maskwatch families``: the families as lines, one of them in full, and blocks that name one."""

import json

import pytest

from tests.maskwatch.commands.families.conftest import ATTACKER
from tests.maskwatch.conftest import Run

LINE = f"3 crafted pictures of the client {ATTACKER}."


@pytest.mark.usefixtures("request_ids")
def test_a_family_is_a_line(maskwatch: Run) -> None:
    said = maskwatch("families", "list").out
    assert said.count("\n") == 1
    assert LINE in said
    assert "growing" in said


@pytest.mark.usefixtures("request_ids")
def test_a_family_is_a_json_object(maskwatch: Run) -> None:
    [line] = map(json.loads, maskwatch("families", "list", "--json").out.splitlines())
    assert (line["id"], line["line"], line["kinds"]) == (1, LINE, {"crafted": 3})


def test_one_family_is_shown_with_its_requests(maskwatch: Run, request_ids: list[str]) -> None:
    said = maskwatch("families", "show", "1").out
    assert said.startswith(f"Family 1, growing: {LINE}")
    assert all(request_id in said for request_id in request_ids)
    detail = json.loads(maskwatch("families", "show", "1", "--json").out)
    assert set(detail["request_ids"]) == set(request_ids)


def test_of_many_requests_a_few_are_named_and_the_others_counted(
    maskwatch: Run, request_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskwatch.commands.families.family_list._MAX_NAMED", 2)
    shown = maskwatch("families", "show", "1").out
    [newest] = [line for line in shown.splitlines() if line.startswith("Newest: ")]
    assert newest.endswith(" and 1 more, which --json lists")
    assert sum(request_id in newest for request_id in request_ids) == 2


@pytest.mark.usefixtures("request_ids")
def test_a_block_by_hand_names_its_family(maskwatch: Run) -> None:
    words = ("203.0.113.7", "--reason", "It attacks.", "--family", "1")
    assert maskwatch("decisions", "add", *words).code == 0
    [block] = map(json.loads, maskwatch("decisions", "list", "--json").out.splitlines())
    assert block["family"] == "1"
    assert "Decision 1  block" in maskwatch("families", "show", "1").out


@pytest.mark.usefixtures("request_ids")
@pytest.mark.parametrize("number", ["2", "-1", "9" * 30])
def test_a_number_that_no_family_has_is_one_sentence(maskwatch: Run, number: str) -> None:
    words = ("203.0.113.7", "--reason", "It attacks.", f"--family={number}")
    for said in (
        maskwatch("families", "show", "--", number),
        maskwatch("decisions", "add", *words),
    ):
        assert (said.code, said.err) == (1, f"maskwatch: There is no family {number}.\n")
