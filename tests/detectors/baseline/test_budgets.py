"""Alarm budgets: what demotes a rule, and that no single sender can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline.baseline import Baseline
from detectors.baseline.budget_limits import Limits
from detectors.baseline.budgets import (
    PROMOTE_AT,
    Band,
    Network,
    Request,
    RuleCount,
    count_rules,
    group_networks,
    least_share,
    share_of,
)
from detectors.baseline.phases import CONTENT_CODES

FEET, FACE, CRAFTED = "trousers_without_feet", "face_hidden", "adversarial_picture"
LIMITS = Limits(each=0.005, total=0.01)
BAND = Band(low=0.8, line=1.0)


def _requests(clients: int, each: int, firings: int, code: str = FEET) -> list[Request]:
    """So many requests of each client; a rule fires on the first of so many clients."""
    return [
        Request(f"ip:10.{client}.0.1", frozenset({code} if client < firings and not k else ()))
        for client in range(clients)
        for k in range(each)
    ]


def _count(requests: list[Request], demoted: frozenset[str] = frozenset()) -> dict[str, RuleCount]:
    return {count.code: count for count in count_rules(requests, demoted, LIMITS)}


def test_a_rule_that_fires_on_many_clients_is_demoted_and_the_others_are_not() -> None:
    counts = _count(_requests(150, 8, 61))
    assert [code for code, count in counts.items() if count.is_demoted] == [FEET]
    assert (counts[FEET].clients, counts[FEET].firing_clients) == (150, 61)
    assert counts[FEET].share == pytest.approx(61 / 1200)


def test_a_rule_within_its_budget_flags() -> None:
    assert not _count(_requests(150, 8, 6))[FEET].is_demoted
    assert _count(_requests(150, 8, 8))[FEET].is_demoted


def test_too_few_requests_change_nothing() -> None:
    few = _requests(20, 9, 20)
    assert not _count(few)[FEET].is_demoted
    assert _count(few, frozenset({FEET}))[FEET].is_demoted


def test_a_rule_is_promoted_again_clearly_below_its_budget_only() -> None:
    near, below = _requests(150, 8, 6), _requests(150, 8, 5)
    assert _count(near, frozenset({FEET}))[FEET].is_demoted
    assert not _count(below, frozenset({FEET}))[FEET].is_demoted


def test_of_rules_that_keep_their_budgets_the_busiest_go_until_all_keep_theirs() -> None:
    requests = [
        *_requests(150, 8, 5),
        *_requests(150, 8, 4, FACE),
        *_requests(150, 8, 3, "trigger_suspected"),
    ]

    def demoted(total: float) -> set[str]:
        counts = count_rules(requests, frozenset(), Limits(0.005, total))
        return {count.code for count in counts if count.is_demoted}

    assert demoted(0.01) == set()
    assert demoted(0.002) == {FEET}
    assert demoted(0.001) == {FEET, FACE}


def test_an_attack_that_the_looks_name_says_nothing_about_other_rules() -> None:
    hostile = [
        Request(f"ip:172.16.{client}.1", frozenset({FACE, CRAFTED}))
        for client in range(50)
        for _ in range(5)
    ]
    counts = _count([*_requests(150, 8, 0), *hostile])
    assert not counts[FACE].is_demoted
    assert not counts[CRAFTED].is_demoted


def _judged(clients: int, each: int, near: int) -> list[Request]:
    """So many scored requests of each client, the first of them near the line."""
    return [
        Request(f"ip:10.{client}.0.1", frozenset(), 0.9 if k < near else 0.1)
        for client in range(clients)
        for k in range(each)
    ]


def _crafted(requests: list[Request], demoted: frozenset[str] = frozenset()) -> RuleCount:
    counts = count_rules(requests, demoted, LIMITS, BAND)
    return next(count for count in counts if count.code == CRAFTED)


def test_attacks_of_many_networks_that_come_once_each_do_not_demote_what_finds_them() -> None:
    hostile = [Request(f"ip:172.16.{n}.1", frozenset({CRAFTED}), 3.0) for n in range(250)]
    count = _crafted([*_judged(150, 8, 0), *hostile])
    assert not count.is_demoted
    assert count.share == 0
    assert count.firing_clients == 250


def test_attacks_of_a_quarter_of_the_networks_below_the_line_do_not_demote_either() -> None:
    hostile = [Request(f"ip:172.{n}.0.1", frozenset(), 0.9) for n in range(50) for _ in range(2)]
    count = _crafted([*_judged(150, 8, 0), *hostile])
    assert not count.is_demoted
    assert count.share > 0.01


def test_a_baseline_that_does_not_fit_shows_just_below_its_line() -> None:
    fits, near, beyond = _judged(40, 200, 2), _judged(40, 200, 5), _judged(40, 200, 7)
    assert _crafted(fits).share == pytest.approx(0.01 / 3)
    assert not _crafted(near).is_demoted
    assert _crafted(beyond).is_demoted
    assert _crafted(near, frozenset({CRAFTED})).is_demoted
    assert not _crafted(fits, frozenset({CRAFTED})).is_demoted


def test_the_line_is_held_against_what_its_calibration_has_below_it() -> None:
    lines = Baseline("0" * 64, (), 0.5, tuple(place / 100 for place in range(100)))
    band = Band.of(lines)
    within = sum(band.low <= score < band.line for score in lines.scores)
    assert band.clean_above == pytest.approx(0.005 / max(0.015, within / 100))


def test_the_rate_of_what_is_crafted_does_not_use_up_the_budget_of_all() -> None:
    requests = [*_judged(150, 100, 2), *_requests(150, 8, 4)]
    counts = count_rules(requests, frozenset(), LIMITS, BAND)
    assert not [count.code for count in counts if count.is_demoted]


def test_without_a_baseline_that_flags_nothing_is_demoted_for_its_scores() -> None:
    requests = [*_requests(150, 8, 61, CRAFTED)]
    assert not _count(requests, frozenset({CRAFTED}))[CRAFTED].is_demoted


def test_the_share_without_one_network_is_that_of_the_others() -> None:
    networks = group_networks(_requests(12, 5, 7), {FEET})
    networks += [Network(30, 30), Network(4, 3), Network(1, 1)]
    by_hand = [share_of(networks[:i] + networks[i + 1 :]) for i in range(len(networks))]
    assert least_share(networks) == pytest.approx(min(by_hand))


_NETWORKS = st.lists(
    st.integers(1, 40).flatmap(lambda n: st.builds(Network, st.just(n), st.integers(0, n))),
    min_size=2,
    max_size=30,
)


@given(_NETWORKS)
def test_least_share_is_the_smallest_share_without_one_network(networks: list[Network]) -> None:
    by_hand = [share_of(networks[:i] + networks[i + 1 :]) for i in range(len(networks))]
    assert least_share(networks) == pytest.approx(min(by_hand))


@given(
    st.lists(st.integers(0, 40), min_size=210, max_size=260),
    st.none() | st.integers(0, 209),
    st.lists(st.sets(st.sampled_from(sorted(CONTENT_CODES))), max_size=150),
    st.booleans(),
)
def test_one_network_demotes_no_rule_that_keeps_its_budget_without_it(
    honest: list[int], firing: int | None, hostile: list[set[str]], is_one_client: bool
) -> None:
    requests = [
        Request(f"ip:10.{client}.0.1", frozenset({FEET} if place == firing else ()))
        for place, client in enumerate(honest)
    ]
    attack = [
        Request(f"ip:203.0.113.{1 if is_one_client else place % 250}", frozenset(codes))
        for place, codes in enumerate(hostile)
    ]
    for demoted, limit in (
        (frozenset[str](), LIMITS.each),
        (frozenset(CONTENT_CODES), PROMOTE_AT * LIMITS.each),
    ):
        without, count = _count(requests, demoted), _count([*requests, *attack], demoted)
        for code in CONTENT_CODES:
            assert without[code].share > limit or not count[code].is_demoted, code
