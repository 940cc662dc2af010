"""The limit of suspected triggers follows a source's own traffic, within bounds."""

from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.baseline.budget_limits import Limits
from detectors.baseline.budgets import Request, count_rules
from detectors.baseline.phases import Phase, SourceState
from detectors.baseline.trigger_limit import (
    MAX_TRIGGER_LIMIT,
    choose_trigger_limit,
    leave_out_weak,
)
from detectors.findings import Finding, Severity
from detectors.rule_book import ADVERSARIAL_PICTURE, TRIGGER_SUSPECTED

BUDGET = 0.005
CODE = TRIGGER_SUSPECTED.code


def _request(client: str, score: float | None = None) -> Request:
    codes = frozenset({CODE}) if score is not None and score > 0.07 else frozenset[str]()
    return Request(client, codes, trigger_score=score)


def _traffic(scores: list[float], count: int = 1_000, clients: int = 150) -> list[Request]:
    """Requests of which the first have these scores, and the others were not searched."""
    searched = [*scores, *[None] * (count - len(scores))]
    return [_request(f"ip:10.{n % clients}.0.7", score) for n, score in enumerate(searched)]


def _choose(requests: list[Request], present: float = 0.0) -> float:
    return choose_trigger_limit(requests, BUDGET, present)


def test_a_rule_that_keeps_its_budget_needs_no_limit() -> None:
    assert _choose(_traffic([0.1, 0.12, 0.4])) == 0.0


def test_the_limit_lies_above_what_clean_traffic_scores_and_the_rule_keeps_its_budget() -> None:
    scores = [*default_rng(1).uniform(0.071, 0.13, 25), 0.19]
    requests = _traffic(list(scores))
    limit = _choose(requests)
    assert 0.1 < limit <= 0.13
    rules = {each.code: each for each in count_rules(requests, frozenset(), Limits())}
    assert rules[CODE].is_demoted
    left = leave_out_weak(requests, limit)
    rules = {each.code: each for each in count_rules(left, frozenset(), Limits())}
    assert 0 < rules[CODE].share <= BUDGET
    assert not rules[CODE].is_demoted


def test_above_its_bounds_no_limit_goes_and_the_rule_is_demoted() -> None:
    requests = _traffic([0.5] * 40)
    assert _choose(requests) == MAX_TRIGGER_LIMIT < 0.33
    left = leave_out_weak(requests, MAX_TRIGGER_LIMIT)
    rules = {each.code: each for each in count_rules(left, frozenset(), Limits())}
    assert rules[CODE].is_demoted


def test_few_requests_change_nothing() -> None:
    assert _choose(_traffic([0.12] * 50, count=199), present=0.1) == 0.1


def test_a_limit_goes_down_only_by_more_than_a_step() -> None:
    requests = _traffic([0.095] * 25)
    assert _choose(requests) == 0.1
    assert [_choose(requests, present) for present in (0.11, 0.12)] == [0.11, 0.1]


def test_what_is_called_crafted_and_what_has_no_score_are_no_triggers_of_the_traffic() -> None:
    crafted = [
        Request(each.client, each.codes | {ADVERSARIAL_PICTURE.code}, trigger_score=0.12)
        for each in _traffic([0.12] * 40)
    ]
    assert _choose([*_traffic([]), *crafted[:40]]) == 0.0
    unknown = Request("ip:10.1.0.7", frozenset({CODE}))
    assert leave_out_weak([unknown], MAX_TRIGGER_LIMIT) == [unknown]


@given(st.integers(1, 400), st.floats(0.08, 1.0), st.sampled_from([0.0, 0.1, 0.2]))
def test_no_single_network_moves_the_limit(count: int, score: float, present: float) -> None:
    traffic = _traffic([0.09, 0.11, 0.3])
    flood = [_request(f"ip:203.0.113.{n % 250}", score) for n in range(count)]
    assert _choose([*traffic, *flood], present) == _choose(traffic, present)


def test_a_weak_trigger_is_recorded_as_odd_and_a_strong_one_flags() -> None:
    weak, strong = (
        Finding(TRIGGER_SUSPECTED, {"return_share": share, "moved_share": 0.5})
        for share in (0.2, 0.8)
    )
    state = SourceState(Phase.IN_FORCE, max_trigger_score=0.12)
    weighed = [finding.rule.severity for finding in state.weigh([weak, strong])]
    assert weighed == [Severity.ODD, TRIGGER_SUSPECTED.severity]
    assert SourceState(Phase.IN_FORCE).weigh([weak]) == (weak,)
