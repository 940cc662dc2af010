"""The measurement of the gate goes part by part."""

import json
from pathlib import Path

import pytest

from bench.gate.command import Parts, UnknownPart, choose_parts, measure_parts
from bench.gate.service import ServiceFailed
from bench.report import Figures


def _fail() -> Figures:
    raise ServiceFailed("It does not start.")


PARTS: Parts = {"first": lambda: {"a": 1}, "second": lambda: {"b": 2}, "third": _fail}


def test_a_part_that_fails_costs_no_figures_of_those_before_it(tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed):
        measure_parts(PARTS, tmp_path / "gate.json")
    assert json.loads((tmp_path / "gate.json").read_text()) == {"a": 1, "b": 2}


def test_parts_are_chosen_by_name_and_keep_their_order() -> None:
    assert list(choose_parts(PARTS, ["second", "first"])) == ["first", "second"]
    assert list(choose_parts(PARTS, [])) == list(PARTS)


def test_an_unknown_part_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnknownPart, match=r"no part floods: first, second, third\."):
        choose_parts(PARTS, ["floods"])
