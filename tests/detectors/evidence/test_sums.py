"""What evidence weighs: enough of it is an attack, and what chance explains is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from detectors.evidence.kinds import WEIGHTS, EvidenceKind, describe
from detectors.evidence.sums import chance_of_so_many, weigh

ENOUGH = 3
counts_by_kind = st.dictionaries(st.sampled_from(EvidenceKind), st.integers(0, 400))


@given(counts_by_kind, st.integers(0, 1000))
def test_what_weighs_nothing_changes_nothing(counts: dict[EvidenceKind, int], uploads: int) -> None:
    telling = {kind: count for kind, count in counts.items() if kind in WEIGHTS}
    assert weigh(counts, uploads) == weigh(telling, uploads)


@given(counts_by_kind, st.integers(0, 1000), st.sampled_from(list(WEIGHTS)))
def test_one_more_piece_of_evidence_never_speaks_for_a_client(
    counts: dict[EvidenceKind, int], uploads: int, kind: EvidenceKind
) -> None:
    more = {**counts, kind: counts.get(kind, 0) + 1}
    assert weigh(more, uploads).weight >= weigh(counts, uploads).weight


@given(st.integers(1, 2000), st.integers(1, 2000), st.sampled_from((0.001, 0.02, 0.05, 0.4)))
def test_the_chance_is_the_tail_of_the_binomial(count: int, among: int, chance: float) -> None:
    expected = binom.sf(count - 1, among, chance) if count <= among else 0.0
    if count <= among:
        assert chance_of_so_many(count, among, chance) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", sorted(WEIGHTS, key=str))
def test_enough_evidence_of_each_kind_is_an_attack(kind: EvidenceKind) -> None:
    assert weigh({kind: 120}, 120).weight >= ENOUGH


@pytest.mark.parametrize(
    ("counts", "uploads", "attacks"),
    [
        ({EvidenceKind.CRAFTED: 4}, 4, True),
        ({EvidenceKind.CRAFTED: 7}, 14, True),
        ({EvidenceKind.CRAFTED: 12}, 13, True),
        # Of fifteen photos of animals five are called crafted now and then.
        ({EvidenceKind.CRAFTED: 5}, 15, False),
        ({EvidenceKind.TRIGGER: 3}, 6, False),
        ({EvidenceKind.TRIGGER: 9}, 10, True),
        # Odd pictures of one honest client: none is certainly crafted.
        ({EvidenceKind.DOUBTFUL: 6}, 15, False),
        ({EvidenceKind.DOUBTFUL: 14}, 15, True),
        ({EvidenceKind.PROBING: 16}, 30, True),
        ({EvidenceKind.HOSTILE: 3}, 3, True),
        # Nobody hides hostile files among many others.
        ({EvidenceKind.HOSTILE: 5}, 1000, True),
        ({EvidenceKind.DAMAGED: 2}, 2, False),
        ({EvidenceKind.DAMAGED: 8}, 25, True),
        ({EvidenceKind.FLOOD: 60}, 15, False),
        ({EvidenceKind.FLOOD: 280}, 4, True),
        # Three outliers among four uploads are a client with another camera.
        ({EvidenceKind.OUTLIER: 3}, 4, False),
        ({EvidenceKind.OUTLIER: 15}, 300, False),
        ({EvidenceKind.OUTLIER: 14}, 15, False),
        ({EvidenceKind.OUTLIER: 40}, 50, True),
    ],
)
def test_attackers_are_told_from_honest_clients(
    counts: dict[EvidenceKind, int], uploads: int, attacks: bool
) -> None:
    chances = {EvidenceKind.OUTLIER: 0.027}
    assert (weigh(counts, uploads, chances).weight >= ENOUGH) is attacks


def test_evidence_is_told_in_words_the_heaviest_first() -> None:
    total = weigh({EvidenceKind.OUTLIER: 8, EvidenceKind.CRAFTED: 7, EvidenceKind.HOSTILE: 2}, 7)
    assert describe(total.counts) == "7 crafted pictures, 2 hostile files and 8 outliers"
