"""Limits learnt from clean pictures: at the stated rate, and never out of bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.topology.topology_limits import (
    DEFAULTS,
    MIN_PICTURES,
    TopologyLimits,
    bounds,
    learn_limits,
)

NAMES = tuple(DEFAULTS.list_learnt())
SHARES = st.floats(0, 1)


def _clean(count: int) -> list[dict[str, float]]:
    """Evenly spread around every default, from a half to one and a half of it."""
    draws = default_rng(4).uniform(0.5, 1.5, (count, len(NAMES)))
    return [
        {name: DEFAULTS.list_learnt()[name] * each for name, each in zip(NAMES, row, strict=True)}
        for row in draws
    ]


def test_about_one_clean_picture_in_a_thousand_lies_beyond_each_limit() -> None:
    limits, others = learn_limits(_clean(20_000)), _clean(20_000)[::-1]
    beyond = {
        "min_skin_share": sum(each["min_skin_share"] < limits.min_skin_share for each in others),
        "max_trousers_gap": sum(
            each["max_trousers_gap"] > limits.max_trousers_gap for each in others
        ),
        "min_hair_share": sum(each["min_hair_share"] >= limits.min_hair_share for each in others),
    }
    assert all(15 <= count <= 25 for count in beyond.values()), beyond


@given(st.lists(st.tuples(SHARES, SHARES, SHARES), min_size=MIN_PICTURES, max_size=40))
def test_whatever_the_pictures_show_a_limit_stays_within_its_bounds(
    rows: list[tuple[float, float, float]],
) -> None:
    learnt = learn_limits([dict(zip(NAMES, row, strict=True)) for row in rows]).list_learnt()
    for name, value in learnt.items():
        low, high = bounds(name)
        assert low <= value <= high
    assert TopologyLimits.of(learnt).list_learnt() == learnt


def test_bounds_are_half_and_double_the_default() -> None:
    assert [bounds(name) for name in NAMES] == [(0.005, 0.02), (0.03, 0.12), (0.01, 0.04)]


def test_what_is_judged_at_all_is_not_learnt() -> None:
    learnt = learn_limits(_clean(100))
    assert learnt.border_share == DEFAULTS.border_share
    assert learnt.min_trousers_share == DEFAULTS.min_trousers_share


def test_pictures_without_a_person_do_not_count() -> None:
    few = _clean(MIN_PICTURES - 1)
    assert learn_limits([*few, {}, {}, {}]) == learn_limits([]) == DEFAULTS
    assert learn_limits([*few, {}, _clean(1)[0]]) != DEFAULTS


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_out_of_bounds_is_refused(name: str) -> None:
    for value in (bounds(name)[0] * 0.99, bounds(name)[1] * 1.01, float("nan")):
        with pytest.raises(ValueError, match=name):
            TopologyLimits.of({**DEFAULTS.list_learnt(), name: value})
