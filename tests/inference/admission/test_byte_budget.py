import pytest

from inference.admission.byte_budget import ByteBudget
from inference.refusals import OVERLOADED, Refused


def test_holders_are_bounded_together_and_give_back() -> None:
    budget = ByteBudget(1_000)
    with budget.reserve() as first, budget.reserve() as second:
        first.take(600)
        second.take(300)
        second.take(100)
        with pytest.raises(Refused) as refused:
            first.take(1)
        assert refused.value.refusal is OVERLOADED
        assert not second.take_if_free(1)
        first.give_back(50)
        assert second.take_if_free(50)
        assert budget.used_bytes == 1_000
    with budget.reserve() as share:
        share.take(1_000)
    assert budget.used_bytes == 0


def _hold(budget: ByteBudget, sizes: tuple[int, ...]) -> None:
    with budget.reserve() as share:
        for size in sizes:
            share.take(size)


def test_a_holder_that_is_refused_gives_back_what_it_took() -> None:
    budget = ByteBudget(1_000)
    for _ in range(3):
        with pytest.raises(Refused):
            _hold(budget, (700, 301))
    _hold(budget, (1_000,))


def test_a_thread_that_goes_on_for_a_holder_that_has_left_changes_nothing() -> None:
    budget = ByteBudget(1_000)
    with budget.reserve() as share:
        share.take(700)
    share.give_back(600)
    assert not share.take_if_free(1)
    assert budget.used_bytes == 0


def test_shares_of_one_client_are_bounded_together() -> None:
    budget = ByteBudget(1_000, 600)
    with budget.reserve("a") as first, budget.reserve("a") as second, budget.reserve("b") as other:
        first.take(400)
        assert not second.take_if_free(201)
        assert second.take_if_free(200)
        assert other.take_if_free(400)
        first.give_back(100)
        assert second.take_if_free(100)
    with budget.reserve("a") as share:
        assert share.take_if_free(600)
    with budget.reserve() as share:
        assert share.take_if_free(1_000)
