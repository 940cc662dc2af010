"""Which refusals get a record: enough to see who knocks, never one for each knock."""

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from inference.admission.repeated_refusals import RepeatedRefusals
from inference.refusals import BLOCKED, NOT_MULTIPART, OVERLOADED, RATE_LIMITED, REFUSALS, Refusal
from inference.upload import Arrival
from store.requests.records import Stage

KNOCKS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([BLOCKED, OVERLOADED]), st.floats(0, 4)),
    max_size=200,
)


def _from(client: str = "ip:192.0.2.1") -> Arrival:
    return Arrival("id", datetime(2026, 3, 2, tzinfo=UTC), client, "api")


def test_the_same_refusal_of_the_same_client_is_recorded_once_a_window() -> None:
    repeats = RepeatedRefusals(10)
    times = (100.0, 100.1, 105, 109.9, 110, 111, 119.9, 120)
    recorded = [time for time in times if not repeats.is_repeat(_from(), BLOCKED, time)]
    assert recorded == [100, 110, 120]


def test_another_client_or_another_reason_is_no_repeat() -> None:
    repeats = RepeatedRefusals(10)
    assert not repeats.is_repeat(_from(), BLOCKED, 100)
    assert not repeats.is_repeat(_from("ip:192.0.2.2"), BLOCKED, 100)
    assert not repeats.is_repeat(_from(), OVERLOADED, 100)
    assert repeats.is_repeat(_from(), OVERLOADED, 100)


def test_another_waiting_time_is_the_same_refusal() -> None:
    repeats = RepeatedRefusals(10)
    assert not repeats.is_repeat(_from(), RATE_LIMITED.retry_after(1), 100)
    assert repeats.is_repeat(_from(), RATE_LIMITED.retry_after(7), 100)


def test_addresses_of_one_ipv6_network_repeat_each_other() -> None:
    repeats = RepeatedRefusals(10)
    assert not repeats.is_repeat(_from("ip:2001:db8::1"), BLOCKED, 100)
    assert repeats.is_repeat(_from("ip:2001:db8::2"), BLOCKED, 100)


def test_what_the_gate_refuses_is_always_recorded() -> None:
    repeats = RepeatedRefusals(10)
    others = [refusal for refusal in REFUSALS if refusal.stage is not Stage.ADMISSION]
    assert NOT_MULTIPART in others
    for refusal in others * 2:
        assert not repeats.is_repeat(_from(), refusal, 100)


def test_ever_new_names_do_not_become_ever_more_records() -> None:
    repeats = RepeatedRefusals(10, most=7)
    recorded: Counter[int] = Counter()
    for number in range(1_000):
        time = 100 + number / 50
        recorded[number // 500] += not repeats.is_repeat(_from(f"ip:{number}"), BLOCKED, time)
    assert recorded == {0: 7, 1: 7}


def test_a_window_of_zero_records_everything() -> None:
    repeats = RepeatedRefusals(0)
    assert not any(repeats.is_repeat(_from(), BLOCKED, 100) for _ in range(5))


@given(KNOCKS)
def test_every_client_and_reason_is_recorded_once_in_each_window(
    knocks: list[tuple[int, Refusal, float]],
) -> None:
    repeats, now = RepeatedRefusals(10), 0.0
    last: dict[tuple[int, str], float] = {}
    for number, refusal, pause in knocks:
        now += pause
        key = (number, refusal.code)
        is_due = key not in last or now - last[key] >= 10
        assert repeats.is_repeat(_from(f"ip:{number}"), refusal, now) is not is_due
        if is_due:
            last[key] = now
