from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.blocking.policy import BlockPolicy, block_minutes, decide
from jobs.settings import MAX_BLOCK_MINUTES
from store.requests.record_store import ClientActivity

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POLICY = BlockPolicy(
    block_after=3, window_minutes=60, block_minutes=60, outlier_share=0.01, simulated=True
)


def activity(
    outliers: int, refusals: int, others: int = 0, client: str = "ip:203.0.113.7", flags: int = 0
) -> ClientActivity:
    return ClientActivity(
        client, outliers + refusals + others + flags, outliers, flags, refusals, ("r1", "r2")
    )


policies = st.builds(
    BlockPolicy,
    block_after=st.integers(1, 1000),
    window_minutes=st.integers(1, MAX_BLOCK_MINUTES),
    block_minutes=st.integers(1, MAX_BLOCK_MINUTES),
    outlier_share=st.floats(0.0001, 0.5),
    simulated=st.booleans(),
)
counts = st.integers(0, 5000)


@given(counts, counts, counts, st.integers(0, 10**6), policies)
def test_a_block_ends_in_the_future_and_within_seven_days(
    outliers: int, refusals: int, others: int, earlier: int, policy: BlockPolicy
) -> None:
    decision = decide(activity(outliers, refusals, others), earlier, NOW, policy)
    if decision is not None:
        assert NOW < decision.until <= NOW + timedelta(days=7)
        assert decision.simulated is policy.simulated


@given(st.integers(0, 100), policies)
def test_a_repeat_never_gets_less(earlier: int, policy: BlockPolicy) -> None:
    minutes = [block_minutes(policy.block_minutes, n) for n in (earlier, earlier + 1)]
    assert minutes == sorted(minutes)


@given(counts, counts, counts, policies)
def test_the_command_line_is_never_blocked(
    outliers: int, refusals: int, others: int, policy: BlockPolicy
) -> None:
    assert decide(activity(outliers, refusals, others, "cli:local"), 0, NOW, policy) is None


@given(counts, counts, counts, policies)
def test_one_more_refusal_never_lifts_a_block(
    outliers: int, refusals: int, others: int, policy: BlockPolicy
) -> None:
    if decide(activity(outliers, refusals, others), 0, NOW, policy) is not None:
        assert decide(activity(outliers, refusals + 1, others), 0, NOW, policy) is not None


@given(st.integers(0, 5000), policies)
def test_flags_alone_never_block(flags: int, policy: BlockPolicy) -> None:
    assert decide(activity(0, 0, flags=flags), 0, NOW, policy) is None


@pytest.mark.parametrize(
    ("outliers", "refusals", "others", "blocked"),
    [
        (3, 0, 0, True),
        (2, 0, 10, False),
        (0, 3, 0, True),
        (0, 3, 1000, True),
        (2, 1, 5, True),
        (0, 0, 50, False),
        # Three outliers in 300 normal requests are what a 1 % level makes by itself.
        (3, 0, 297, False),
        (12, 0, 288, True),
    ],
)
def test_blocks_what_chance_cannot_explain(
    outliers: int, refusals: int, others: int, blocked: bool
) -> None:
    assert (decide(activity(outliers, refusals, others), 0, NOW, POLICY) is not None) is blocked


def test_the_reason_is_a_sentence_with_the_counts() -> None:
    decision = decide(activity(5, 2, 7), 0, NOW, POLICY)
    assert decision is not None
    assert decision.reason == "5 outliers and 2 refusals among 14 requests in 60 minutes."
    assert decision.scenario == "repeated_outliers"
    assert decision.evidence["request_ids"] == ["r1", "r2"]


def test_more_refusals_than_outliers_name_the_scenario() -> None:
    decision = decide(activity(1, 4, 0), 1, NOW, POLICY)
    assert decision is not None
    assert decision.scenario == "repeated_refusals"
    assert decision.reason == "1 outlier and 4 refusals among 5 requests in 60 minutes."
    assert decision.until == NOW + timedelta(minutes=120)
