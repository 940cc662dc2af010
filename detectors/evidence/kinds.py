"""What each code says about the client that caused it: kinds of evidence and what they weigh.

A crafted picture and a photo of an unknown format are both answered with a code, and only one of
them is an attack. Whoever blocks clients, alerts about them or lists the worst of them looks here,
and nowhere else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

CLEAN_SHARE = "clean_share"
"""Number of a finding: the share of clean pictures that come as far."""
MAX_CLEAN_SHARE = 0.002
"""A picture is certainly crafted if no more clean ones come as far."""


class EvidenceKind(StrEnum):
    """Kinds of evidence, the most telling first."""

    PATCH = "patch"
    """A patch of the blacklist."""
    PERTURBATION = "perturbation"
    """A perturbation of the blacklist."""
    TRIGGER = "trigger"
    """A pattern that makes something vanish elsewhere."""
    PROBING = "probing"
    """A query of a search for an attack."""
    CRAFTED = "crafted"
    """A picture that looks made to mislead the model."""
    HOSTILE = "hostile"
    """A file that no honest tool writes."""
    DAMAGED = "damaged"
    """A file that cannot be decoded: what somebody who tries the gate sends, and now and then
    anybody. Beside one, or a hostile file, each different mistake counts once as another: an honest
    client gets one thing wrong again and again, and not everything."""
    DOUBTFUL = "doubtful"
    """A picture that may be crafted: odd clean ones come as far, where a service is sent others
    than those that its baseline knows."""
    OUTLIER = "outlier"
    """A request unlike most others."""
    FLOOD = "flood"
    """A request after the client was told to slow down."""
    ODD = "odd"
    """A picture that the model can do little with: what a photo service is sent every day."""
    MISTAKE = "mistake"
    """What honest clients get wrong: types, sizes, fields, metadata, broken transfers."""
    NO_ENTRY = "no_entry"
    """Somebody who is blocked or has no valid key; its punishment is no new evidence."""
    SERVICE = "service"
    """Nobody's doing but ours: no room, a fault."""


@dataclass(frozen=True)
class Weight:
    """What one file of a kind weighs.

    Attributes:
        weight: towards a block; a client is one to block from a sum on.
        chance: share of an honest client's files that show it anyway, at worst: a client who sends
            nothing but animals or portraits of another camera. Measured, not what rules state.
        noun: one of it, for sentences.
        nouns: several of it.
        scenario: what a client does that shows it, as decisions store it.
        atlas: MITRE ATLAS technique id.
        owasp: OWASP Machine Learning Security Top 10 id.
    """

    weight: float
    chance: float
    noun: str
    nouns: str
    scenario: str
    atlas: str = "AML.T0043"
    owasp: str = "ML01:2023"


WEIGHTS: Mapping[EvidenceKind, Weight] = {
    EvidenceKind.PATCH: Weight(
        *(1, 0.01, "picture of a listed patch", "pictures of listed patches", "listed_patches"),
        *("AML.T0043.004", "ML10:2023"),
    ),
    EvidenceKind.PERTURBATION: Weight(
        *(1, 0.01, "picture under a listed perturbation", "pictures under listed perturbations"),
        "listed_perturbations",
    ),
    EvidenceKind.TRIGGER: Weight(
        *(1, 0.25, "suspected trigger", "suspected triggers", "trigger_pictures"),
        *("AML.T0043.004", "ML10:2023"),
    ),
    EvidenceKind.PROBING: Weight(
        1, 0.01, "query of a search", "queries of a search", "probing_search", "AML.T0043.001"
    ),
    EvidenceKind.CRAFTED: Weight(1, 0.1, "crafted picture", "crafted pictures", "crafted_pictures"),
    EvidenceKind.HOSTILE: Weight(
        1, 0.0003, "hostile file", "hostile files", "hostile_files", "AML.T0049"
    ),
    EvidenceKind.DAMAGED: Weight(
        0.5, 0.03, "damaged or wrong file", "damaged or wrong files", "damaged_files", "AML.T0049"
    ),
    EvidenceKind.DOUBTFUL: Weight(
        *(0.25, 0.3, "picture that may be crafted", "pictures that may be crafted"),
        "crafted_pictures",
    ),
    EvidenceKind.OUTLIER: Weight(0.1, 0.01, "outlier", "outliers", "repeated_outliers"),
    EvidenceKind.FLOOD: Weight(
        0.03, 0, "request too many", "requests too many", "flood", "AML.T0029"
    ),
}
"""Kinds that are not listed weigh nothing, however often they come."""
_BY_KIND: Mapping[EvidenceKind, tuple[str, ...]] = {
    EvidenceKind.PATCH: ("blocked_patch",),
    EvidenceKind.PERTURBATION: ("blocked_perturbation",),
    EvidenceKind.TRIGGER: ("trigger_suspected",),
    EvidenceKind.PROBING: ("probing_sequence",),
    EvidenceKind.CRAFTED: ("adversarial_picture",),
    EvidenceKind.HOSTILE: (
        *("polyglot", "script_in_metadata", "too_many_scans"),
        *("takes_too_long", "too_much_memory", "decoder_crashed"),
    ),
    EvidenceKind.DAMAGED: ("unreadable",),
    # The code is that of crafted pictures; the numbers of the finding tell the two apart.
    EvidenceKind.DOUBTFUL: (),
    EvidenceKind.OUTLIER: ("outlier_traffic",),
    EvidenceKind.FLOOD: ("rate_limited", "too_many_uploads"),
    EvidenceKind.ODD: (
        *("blank_picture", "flat_picture", "noise_picture", "no_person_found"),
        *("skin_share_too_low", "trousers_without_feet", "headless_body", "faceless_head"),
        "face_hidden",
        *("not_accepted", "made_smaller"),
    ),
    EvidenceKind.MISTAKE: (
        *("wrong_field", "not_multipart", "form_too_large", "too_many_bytes", "too_slow"),
        *("packed_body", "not_json", "cross_site"),
        *("empty_upload", "unsupported_type", "too_small", "too_many_pixels", "side_too_long"),
        *("extreme_ratio", "too_many_frames", "metadata_too_large", "profile_too_large"),
        # Its header tells what expands: it costs nothing, and an empty screenshot does.
        "expands_too_much",
        *("truncated", "declared_type_differs", "file_name_differs", "several_frames"),
        *("end_missing", "profile_unusable", "exif_unusable", "trailing_data"),
        *("trailing_note", "checksum_differs"),
        *("address_instead", "unreadable_tensor", "ungated_route", "odd_target"),
        "several_pictures",
    ),
    EvidenceKind.NO_ENTRY: (
        *("blocked", "unknown_key", "key_required", "wrong_scope"),
        "blocked_picture",
    ),
    EvidenceKind.SERVICE: (
        *("overloaded", "decoder_busy", "decoder_unavailable", "fault", "not_recorded"),
        *("measurement_failed", "answer_not_read", "not_measured", "upstream_failed"),
        "not_passed_on",
    ),
}
KINDS: Mapping[str, EvidenceKind] = {
    code: kind for kind, codes in _BY_KIND.items() for code in codes
}
"""The kind of every code that a record can have as a reason."""


def codes_of(*kinds: EvidenceKind) -> tuple[str, ...]:
    """The codes of some kinds.

    >>> codes_of(EvidenceKind.CRAFTED, EvidenceKind.PROBING)
    ('adversarial_picture', 'probing_sequence')
    """
    return tuple(code for kind in kinds for code in _BY_KIND[kind])


@dataclass(frozen=True)
class Exhibit:
    """A code that an upload was given.

    Attributes:
        upload: what tells different files apart.
        numbers: of the finding, if the code is that of one.
    """

    upload: str
    code: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def kind(self) -> EvidenceKind:
        """What it is evidence of; a record without numbers counts in full."""
        kind = KINDS[self.code]
        is_certain = self.numbers.get(CLEAN_SHARE, 0.0) <= MAX_CLEAN_SHARE
        return kind if is_certain or kind is not EvidenceKind.CRAFTED else EvidenceKind.DOUBTFUL


def count_kinds(exhibits: Iterable[Exhibit]) -> Counter[EvidenceKind]:
    """Different uploads of a client by the most telling kind that each shows.

    The same bytes count once, whatever they showed each time.

    >>> codes = ("outlier_traffic", "adversarial_picture")
    >>> count_kinds([*(Exhibit("a", code) for code in codes), Exhibit("b", "truncated")])
    Counter({<EvidenceKind.CRAFTED: 'crafted'>: 1})
    """
    kinds: dict[str, list[EvidenceKind]] = {}
    mistakes = set()
    for exhibit in exhibits:
        if exhibit.kind is EvidenceKind.MISTAKE:
            mistakes.add(exhibit.code)
        elif exhibit.kind in WEIGHTS:
            kinds.setdefault(exhibit.upload, []).append(exhibit.kind)
    order = list(EvidenceKind)
    counts = Counter(min(each, key=order.index) for each in kinds.values())
    if counts[EvidenceKind.DAMAGED] or counts[EvidenceKind.HOSTILE]:
        counts[EvidenceKind.DAMAGED] += len(mistakes)
    return +counts


def describe(counts: Mapping[EvidenceKind, int]) -> str:
    """Evidence in words.

    >>> describe({EvidenceKind.CRAFTED: 7, EvidenceKind.PROBING: 1})
    '7 crafted pictures and 1 query of a search'
    """
    *first, last = [
        f"{count} {WEIGHTS[kind].noun if count == 1 else WEIGHTS[kind].nouns}"
        for kind, count in counts.items()
    ]
    return f"{', '.join(first)} and {last}" if first else last
