from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from detectors.evidence.kinds import WEIGHTS, EvidenceKind
from detectors.evidence.sums import weigh
from jobs.blocking.policy import BlockPolicy, block_minutes, decide
from jobs.settings import MAX_BLOCK_MINUTES
from store.decisions.clients.client_evidence import ClientEvidence, Suspect

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POLICY = BlockPolicy(block_after=3, window_minutes=60, block_minutes=60, simulated=True)


def make_suspect(
    counts: dict[EvidenceKind, int], uploads: int = 20, client: str = "ip:203.0.113.7"
) -> Suspect:
    evidence = ClientEvidence(client, uploads, counts, ("r1", "r2"))
    return Suspect(evidence, weigh(counts, uploads))


policies = st.builds(
    BlockPolicy,
    block_after=st.integers(1, 1000),
    window_minutes=st.integers(1, MAX_BLOCK_MINUTES),
    block_minutes=st.integers(1, MAX_BLOCK_MINUTES),
    simulated=st.booleans(),
)
counts_by_kind = st.dictionaries(st.sampled_from(EvidenceKind), st.integers(1, 5000))
uploads = st.integers(0, 10_000)


@given(counts_by_kind, uploads, st.integers(0, 10**6), policies)
def test_a_block_ends_in_the_future_and_within_seven_days(
    counts: dict[EvidenceKind, int], uploads: int, earlier: int, policy: BlockPolicy
) -> None:
    decision = decide(make_suspect(counts, uploads), earlier, NOW, policy)
    if decision is not None:
        assert NOW < decision.until <= NOW + timedelta(days=7)
        assert decision.simulated is policy.simulated
        assert len(decision.scenario) <= 32


@given(st.integers(0, 100), policies)
def test_a_repeat_never_gets_less(earlier: int, policy: BlockPolicy) -> None:
    minutes = [block_minutes(policy.block_minutes, n) for n in (earlier, earlier + 1)]
    assert minutes == sorted(minutes)


@given(counts_by_kind, uploads, policies)
def test_the_command_line_is_never_blocked(
    counts: dict[EvidenceKind, int], uploads: int, policy: BlockPolicy
) -> None:
    assert decide(make_suspect(counts, uploads, "cli:local"), 0, NOW, policy) is None


@given(counts_by_kind, uploads, st.sampled_from(list(WEIGHTS)), policies)
def test_one_more_piece_of_evidence_never_lifts_a_block(
    counts: dict[EvidenceKind, int], uploads: int, kind: EvidenceKind, policy: BlockPolicy
) -> None:
    more = {**counts, kind: counts.get(kind, 0) + 1}
    if decide(make_suspect(counts, uploads), 0, NOW, policy) is not None:
        assert decide(make_suspect(more, uploads), 0, NOW, policy) is not None


@given(st.integers(0, 5000), uploads, policies)
def test_mistakes_odd_pictures_and_our_own_faults_never_block(
    number: int, uploads: int, policy: BlockPolicy
) -> None:
    harmless = {kind: number for kind in EvidenceKind if kind not in WEIGHTS}
    assert decide(make_suspect(harmless, uploads), 0, NOW, policy) is None


def test_the_decision_says_in_words_and_numbers_what_led_to_it() -> None:
    counts = {EvidenceKind.OUTLIER: 2, EvidenceKind.CRAFTED: 7, EvidenceKind.DAMAGED: 1}
    decision = decide(make_suspect(counts, 14), 1, NOW, POLICY)
    assert decision is not None
    assert decision.reason == "7 crafted pictures in 60 minutes, 14 uploads in all."
    assert decision.scenario == "crafted_pictures"
    assert decision.until == NOW + timedelta(minutes=120)
    assert decision.evidence == {
        "uploads": 14,
        "weight": 7.0,
        "kinds": {"crafted": 7},
        "earlier_blocks": 1,
        "request_ids": ["r1", "r2"],
    }
