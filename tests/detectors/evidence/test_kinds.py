"""Every code has one kind of evidence; different files count by the most telling one."""

from itertools import product

from detectors.evidence.kinds import (
    CLEAN_SHARE,
    KINDS,
    WEIGHTS,
    EvidenceKind,
    Exhibit,
    codes_of,
    count_kinds,
)
from detectors.rule_book import RULES

WITHOUT_WEIGHT = set(EvidenceKind) - set(WEIGHTS)


def test_every_rule_has_a_kind() -> None:
    assert {rule.code for rule in RULES} - set(KINDS) == set()


def test_every_kind_has_codes_and_a_code_has_one_kind() -> None:
    assert [kind for kind in EvidenceKind if not codes_of(kind)] == [EvidenceKind.DOUBTFUL]
    assert len(codes_of(*EvidenceKind)) == len(KINDS)


def test_mistakes_alone_are_no_evidence_however_many_and_different() -> None:
    harmless = codes_of(*WITHOUT_WEIGHT)
    assert count_kinds(Exhibit(str(n), code) for n, code in product(range(50), harmless)) == {}


def test_different_mistakes_beside_a_damaged_file_are_somebody_who_tries_the_gate() -> None:
    tried = ["unreadable", "unsupported_type", "truncated", "empty_upload", "too_many_pixels"]
    counts = count_kinds(Exhibit(str(number), code) for number, code in enumerate(tried))
    assert counts == {EvidenceKind.DAMAGED: 5}
    photos = [Exhibit(str(number), "unsupported_type") for number in range(40)]
    phone = [Exhibit("photo", "unreadable"), *photos]
    assert count_kinds(phone) == {EvidenceKind.DAMAGED: 2}


def test_the_same_bytes_count_once_and_as_what_tells_most() -> None:
    codes = ("adversarial_picture", "outlier_traffic", "probing_sequence")
    shown = [Exhibit("a", code) for code in codes]
    assert count_kinds([*shown, *shown]) == {EvidenceKind.PROBING: 1}


def test_a_picture_is_crafted_for_certain_if_hardly_any_clean_one_comes_as_far() -> None:
    shares = {"far": 0.0004, "near": 0.004}
    kinds = {
        name: Exhibit(name, "adversarial_picture", {"tamper_score": 2.0, CLEAN_SHARE: share}).kind
        for name, share in shares.items()
    }
    assert kinds == {"far": EvidenceKind.CRAFTED, "near": EvidenceKind.DOUBTFUL}
    assert Exhibit("hidden", "polyglot", {CLEAN_SHARE: 0.5}).kind is EvidenceKind.HOSTILE
