"""Halves of exchanges: joined, late, lost, doubled, out of order; no request is left out."""

from collections import Counter
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.upload import Arrival
from inference.upstream.observe.origin import Origin
from inference.upstream.observe.pair_joiner import Exchange, Fate, Half, PairJoiner, Side
from tests.makers import NOW

REQUEST, RESPONSE = Side.REQUEST, Side.RESPONSE
ARRIVAL = Arrival("c0ffee00", NOW, "ip:192.0.2.1", "observe")
ORIGIN = Origin("a service", "a service")
Counts = Counter[tuple[Side, Fate]]


def _half(side: Side, key: int = 1, size: int = 10) -> Half:
    return Half(side, str(key).encode(), ARRIVAL, ORIGIN, (), bytes(size))


def _joiner(max_bytes: int = 1_000_000) -> tuple[PairJoiner, Counts]:
    counts: Counts = Counter()
    return PairJoiner(60, max_bytes, _counter(counts)), counts


def _counter(counts: Counts) -> Callable[[Side, Fate], None]:
    def count(side: Side, fate: Fate) -> None:
        counts[side, fate] += 1

    return count


def test_a_response_is_joined_to_its_request() -> None:
    joiner, counts = _joiner()
    request, response = _half(REQUEST), _half(RESPONSE)
    assert joiner.add(request, 0) == []
    assert joiner.add(response, 59) == [Exchange(request, response)]
    assert counts == {(REQUEST, Fate.JOINED): 1, (RESPONSE, Fate.JOINED): 1}
    assert (len(joiner), joiner.size_bytes) == (0, 0)


def test_a_response_that_comes_first_waits_for_its_request() -> None:
    joiner, counts = _joiner()
    request, response = _half(REQUEST), _half(RESPONSE)
    assert joiner.add(response, 0) == []
    assert joiner.add(request, 1) == [Exchange(request, response)]
    assert counts == {(REQUEST, Fate.OUT_OF_ORDER): 1, (RESPONSE, Fate.OUT_OF_ORDER): 1}


def test_a_lost_response_leaves_its_request_and_comes_late_then() -> None:
    joiner, counts = _joiner()
    request = _half(REQUEST)
    joiner.add(request, 0)
    assert joiner.end_old(59.9) == []
    assert joiner.end_old(60) == [Exchange(request)]
    assert joiner.add(_half(RESPONSE), 61) == []
    assert counts == {(REQUEST, Fate.LOST): 1, (RESPONSE, Fate.LATE): 1}


def test_a_late_request_is_an_exchange_without_its_response() -> None:
    joiner, counts = _joiner()
    joiner.add(_half(RESPONSE), 0)
    assert joiner.end_old(60) == []
    request = _half(REQUEST)
    assert joiner.add(request, 61) == [Exchange(request)]
    assert counts == {(RESPONSE, Fate.LOST): 1, (REQUEST, Fate.LATE): 1}


def test_who_uses_one_key_for_all_its_requests_hides_none_of_them() -> None:
    joiner, counts = _joiner()
    requests = [_half(REQUEST, size=size) for size in range(5)]
    over = [each for request in requests for each in joiner.add(request, 0)]
    over += joiner.add(_half(RESPONSE), 1)
    after = _half(REQUEST, size=9)
    over += joiner.add(after, 2)
    assert {id(each.request) for each in over} == {id(each) for each in (*requests, after)}
    assert counts[REQUEST, Fate.DOUBLED] == 5
    assert [each.response is not None for each in over].count(True) == 1


def test_a_doubled_response_is_counted_alone() -> None:
    joiner, counts = _joiner()
    joiner.add(_half(REQUEST), 0)
    joiner.add(_half(RESPONSE), 0)
    assert joiner.add(_half(RESPONSE), 1) == []
    assert counts[RESPONSE, Fate.DOUBLED] == 1


def test_memory_is_bounded_by_giving_the_oldest_up() -> None:
    joiner, counts = _joiner(max_bytes=50_000)
    over = [each for key in range(100) for each in joiner.add(_half(REQUEST, key, 8_000), 0)]
    assert joiner.size_bytes <= 50_000
    assert [each.request.key for each in over] == [str(key).encode() for key in range(95)]
    assert counts == {(REQUEST, Fate.CROWDED_OUT): 95}


def test_a_half_that_is_larger_than_all_the_memory_keeps_the_others() -> None:
    joiner, counts = _joiner(max_bytes=50_000)
    joiner.add(_half(REQUEST, 1), 0)
    large = _half(REQUEST, 2, 50_000)
    assert joiner.add(large, 0) == [Exchange(large)]
    assert len(joiner) == 1
    assert counts == {(REQUEST, Fate.CROWDED_OUT): 1}


def test_keys_are_forgotten_after_the_window_and_beyond_a_number() -> None:
    counts: Counts = Counter()
    joiner = PairJoiner(60, 1_000_000, _counter(counts), max_keys=2)
    for key in range(3):
        joiner.add(_half(REQUEST, key), 0)
        joiner.add(_half(RESPONSE, key), 0)
    assert joiner.add(_half(REQUEST, 0), 1) == []  # forgotten, so it is a new one
    joiner.add(_half(RESPONSE, 2), 1)
    assert counts[RESPONSE, Fate.DOUBLED] == 1
    joiner.add(_half(RESPONSE, 2), 70)
    assert counts[RESPONSE, Fate.DOUBLED] == 1


def test_what_waits_at_the_end_is_given_up() -> None:
    joiner, counts = _joiner()
    request = _half(REQUEST, 1)
    joiner.add(request, 0)
    joiner.add(_half(RESPONSE, 2), 0)
    assert joiner.end_all(1) == [Exchange(request)]
    assert counts == {(REQUEST, Fate.LOST): 1, (RESPONSE, Fate.LOST): 1}


def test_one_percent_of_halves_missing_costs_exactly_their_pairs() -> None:
    joiner, counts = _joiner(max_bytes=100_000_000)
    halves = [_half(side, key) for key in range(5_000) for side in Side]
    order = np.random.default_rng(7).permutation(len(halves))
    sent = [halves[place] for place in order[len(halves) // 100 :]]
    over = [each for half in sent for each in joiner.add(half, 0)] + joiner.end_old(60)
    keys = Counter(half.key for half in sent)
    pairs = sum(number == 2 for number in keys.values())
    assert sum(each.response is not None for each in over) == pairs
    assert len(over) == sum(half.side is REQUEST for half in sent)
    assert counts[REQUEST, Fate.LOST] + counts[RESPONSE, Fate.LOST] == len(sent) - 2 * pairs


_EVENTS = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(0, 5), st.integers(0, 30), st.integers(0, 9_000)),
    max_size=60,
)


@given(_EVENTS)
def test_each_request_comes_out_once_and_each_half_is_counted_once(
    events: list[tuple[Side, int, int, int]],
) -> None:
    joiner, counts = _joiner(max_bytes=20_000)
    now, over, halves = 0, [], []
    for side, key, pause, size in events:
        now += pause
        halves.append(_half(side, key, size))
        over += joiner.add(halves[-1], now)
        assert joiner.size_bytes <= 20_000
    over += joiner.end_all(now)
    requests = [id(half) for half in halves if half.side is REQUEST]
    assert sorted(id(each.request) for each in over) == sorted(requests)
    assert counts.total() == len(halves)
    assert joiner.size_bytes == len(joiner) == 0
