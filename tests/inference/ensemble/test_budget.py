import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.ensemble.budget import Budget


def test_a_full_bucket_holds_a_minute_of_its_rate() -> None:
    budget = Budget(0.5)
    taken = [budget.take(10, now=1_000) for _ in range(4)]
    assert taken == [True, True, True, False]


def test_it_fills_again_at_its_rate() -> None:
    budget = Budget(0.5)
    assert budget.take(30, now=1_000)
    assert not budget.take(1, now=1_000)
    assert budget.take(5, now=1_002)
    assert not budget.take(1, now=1_009)
    assert budget.take(1, now=1_011)


def test_a_look_longer_than_the_bucket_is_deep_runs_and_is_paid_for() -> None:
    budget = Budget(0.1)
    assert budget.take(20, now=0)
    assert not budget.take(1, now=139)
    assert budget.take(1, now=141)


def test_what_was_not_needed_is_given_back_and_what_was_is_charged() -> None:
    budget = Budget(1)
    assert budget.take(60, now=0)
    assert not budget.take(1, now=0)
    budget.settle(60, 1)
    assert budget.take(1, now=0)
    budget.settle(1, 70)
    assert not budget.take(1, now=0)


def test_a_short_bucket_saves_little() -> None:
    budget = Budget(1, burst_seconds=5)
    assert budget.take(5, now=100)
    assert not budget.take(1, now=100)
    assert budget.take(1, now=101)


def test_without_a_budget_nothing_runs() -> None:
    assert not Budget(0).take(0.001, now=5)


@pytest.mark.parametrize("rate", [0.1, 0.5, 2.0])
@given(looks=st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 20)), max_size=60))
def test_for_long_no_more_than_the_rate_is_spent(
    rate: float, looks: list[tuple[float, float]]
) -> None:
    budget, now, spent, longest = Budget(rate), 0.0, 0.0, 0.0
    for pause, seconds in looks:
        now += pause
        if budget.take(seconds, now):
            spent += seconds
            longest = max(longest, seconds)
    assert spent <= rate * (now + 60) + longest + 1e-6
