"""Rates by thirds of the skin tone."""

import pytest

from bench.detection.fairness import Portrait, rule_figures
from bench.detection.page import describe_gap

DARK, LIGHT = -30.0, 50.0


def _portraits(dark_fires: int, light_fires: int) -> list[Portrait]:
    """Twelve of each third, in no order; on some a rule fires."""
    return [
        Portrait(angle + number / 100, frozenset(["skin_share_too_low"] * (number < fires)))
        for number in range(12)
        for angle, fires in ((LIGHT, light_fires), (DARK, dark_fires), (10.0, 0))
    ]


def test_a_rule_that_fires_more_on_dark_skin_has_a_gap() -> None:
    figures = rule_figures(_portraits(9, 3))
    [row] = figures["rules"]
    assert (row["rule"], row["n"]) == ("skin_share_too_low", [12, 12, 12])
    assert row["thirds"] == pytest.approx([0.75, 0.0, 0.25])
    assert row["gap"] == figures["max_gap"] == pytest.approx(0.5)
    assert 0 < row["low"] < 0.5 < row["high"] <= 1
    assert (figures["max_gap_low"], figures["max_gap_high"]) == (row["low"], row["high"])
    assert describe_gap(figures).startswith(
        "The largest gap of a rule, darkest less lightest third, is +50.0 points (95 %: +"
    )


def test_a_rule_that_fires_alike_has_none() -> None:
    [row] = rule_figures(_portraits(4, 4))["rules"]
    assert row["gap"] == pytest.approx(0)
    assert row["low"] < 0 < row["high"]


def test_without_a_rule_that_fired_nothing_is_unfair() -> None:
    figures = rule_figures(_portraits(0, 0))
    assert (figures["rules"], figures["max_gap"]) == ([], 0.0)
