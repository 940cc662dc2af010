"""Token buckets: what a client may do in any time, and what others can do to it."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from inference.admission.rate_limits import Buckets

RATES = st.sampled_from([0.1, 0.5, 1.0, 3.0, 10.0])
BURSTS = st.integers(1, 20)
# Requests as the seconds since the one before; many come at once.
PAUSES = st.lists(st.one_of(st.just(0.0), st.floats(0, 5)), min_size=1, max_size=120)
START = 1_000_000.0


def _accepted(buckets: Buckets, client: str, pauses: list[float]) -> list[float]:
    now, accepted = START, []
    for pause in pauses:
        now += pause
        if not buckets.spend(client, now):
            accepted.append(now)
    return accepted


@given(RATES, BURSTS, PAUSES)
def test_in_any_time_never_more_than_the_burst_and_the_rate(
    rate: float, burst: int, pauses: list[float]
) -> None:
    accepted = _accepted(Buckets(rate, burst), "ip:192.0.2.1", pauses)
    assert accepted
    for first, start in enumerate(accepted):
        for last, end in enumerate(accepted[first:], first):
            assert last - first + 1 <= burst + rate * (end - start) + 1e-4


@given(RATES, BURSTS)
def test_a_full_bucket_gives_its_whole_burst_at_once(rate: float, burst: int) -> None:
    buckets = Buckets(rate, burst)
    assert len(_accepted(buckets, "ip:192.0.2.1", [0.0] * (burst + 5))) == burst


@given(RATES, BURSTS, PAUSES)
def test_there_is_a_token_when_it_was_promised(
    rate: float, burst: int, pauses: list[float]
) -> None:
    buckets = Buckets(rate, burst)
    _accepted(buckets, "ip:192.0.2.1", pauses)
    now = START + sum(pauses)
    while not (missing := buckets.spend("ip:192.0.2.1", now)):
        pass
    assert 0 < missing <= 1 / rate + 1e-4
    assert not buckets.spend("ip:192.0.2.1", now + missing + 1e-6)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 2)), max_size=150), RATES, BURSTS)
def test_nobody_else_changes_what_a_client_may_do(
    asked: list[tuple[int, float]], rate: float, burst: int
) -> None:
    together, alone = Buckets(rate, burst), [Buckets(rate, burst) for _ in range(4)]
    now = START
    for number, pause in asked:
        now += pause
        name = f"ip:192.0.2.{number}"
        assert together.spend(name, now) == alone[number].spend(name, now)


@given(st.integers(1, 40), st.lists(st.integers(0, 99), max_size=300))
def test_the_state_is_bounded(most: int, asked: list[int]) -> None:
    buckets = Buckets(1, 2, max_clients=most)
    for number in asked:
        buckets.spend(f"ip:192.0.2.{number}", START)
        assert len(buckets) <= most


def test_new_names_do_not_reset_a_client_that_keeps_asking() -> None:
    buckets = Buckets(0.001, 5, max_clients=50)
    accepted: Counter[str] = Counter()
    for number in range(5_000):
        accepted["busy"] += not buckets.spend("ip:192.0.2.1", START)
        accepted["new"] += not buckets.spend(f"ip:198.51.100.{number}", START)
    assert accepted == {"busy": 5, "new": 5_000}


def test_a_full_bucket_is_forgotten_before_one_that_is_empty() -> None:
    buckets = Buckets(1, 3, max_clients=2)
    for _ in range(3):
        buckets.spend("ip:192.0.2.1", START)
    buckets.spend("ip:192.0.2.2", START + 0.5)
    buckets.spend("ip:192.0.2.3", START + 1.5)
    assert not buckets.spend("ip:192.0.2.1", START + 1.5)
    assert buckets.spend("ip:192.0.2.1", START + 1.5)


def test_addresses_of_one_ipv6_network_share_a_bucket() -> None:
    buckets = Buckets(1, 1)
    assert not buckets.spend("ip:2001:db8::1", START)
    assert buckets.spend("ip:2001:db8::2", START)
    assert not buckets.spend("ip:2001:db8:0:1::1", START)


def test_a_rate_of_zero_is_no_limit_and_keeps_nothing() -> None:
    buckets = Buckets(0, 1)
    assert not any(buckets.spend("ip:192.0.2.1", START) for _ in range(1_000))
    assert len(buckets) == 0
