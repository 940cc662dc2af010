"""Whoever waits has the patience for the turn that is under way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.admission.queue.queue_patience import Patience

durations = st.lists(st.floats(1e-3, 60), min_size=1, max_size=50)


def _after(turns: list[float], least: float = 0, most: float = 600) -> float:
    patience, now = Patience(least, most), 0.0
    for seconds in turns:
        patience.begin("turn", now)
        now += seconds
        patience.end("turn", now)
    return patience.seconds(now)


def test_before_a_turn_has_ended_nobody_knows_how_long_one_takes() -> None:
    assert Patience(0.1, 10).seconds(0) == 10


def test_where_all_turns_take_the_same_it_is_a_turn() -> None:
    assert _after([2.5] * 40) == pytest.approx(2.5)


def test_a_few_long_turns_among_many_short_ones_are_waited_for() -> None:
    mixed = _after(([0.08] * 9 + [2.0]) * 20)
    assert 1 < mixed < 2


def test_one_long_turn_shows_at_once_and_is_forgotten() -> None:
    assert _after([0.1] * 100 + [2.0]) > 0.9
    assert _after([0.1] * 100 + [2.0] + [0.1] * 200) == pytest.approx(0.1, rel=0.01)


def test_a_turn_that_lasts_longer_than_any_before_is_expected_to_last_as_long_again() -> None:
    patience = Patience(0.1, 10)
    patience.begin("short", 100)
    patience.end("short", 100.2)
    patience.begin("long", 101)
    patience.begin("next", 104)
    assert [patience.seconds(now) for now in (101.1, 104, 120)] == pytest.approx([0.2, 3, 10])
    patience.end("long", 120)
    patience.end("next", 120)
    assert patience.seconds(120) == 10


@given(durations)
def test_it_lies_between_the_shortest_turn_and_the_longest(turns: list[float]) -> None:
    assert min(turns) * 0.999 <= _after(turns) <= max(turns) * 1.001


@given(durations, st.floats(0, 10), st.floats(0, 10))
def test_it_keeps_within_its_bounds_and_the_upper_one_wins(
    turns: list[float], least: float, most: float
) -> None:
    assert min(least, most) <= _after(turns, least, most) <= most
