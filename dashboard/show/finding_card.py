"""A finding on the page of its request: what it means, its numbers with their units, its places."""

from collections.abc import Iterator, Mapping

from markupsafe import Markup, escape

from dashboard.show import markup, words
from dashboard.show.contributions import describe_contribution
from dashboard.show.markup import Tone
from detectors.baseline.attack_evidence import words_of
from detectors.findings import ATLAS_VERSION, OWASP_VERSION, Severity
from detectors.registry import FEATURE_NAMES, FeatureVector
from detectors.rule_book import OUTLIER_TRAFFIC
from store.pages.request_detail import NormalRange, StoredFinding

_CARD = Markup(
    '<div class="mw-finding mw-on-{tone}" title="{catalogue}"><b>{sentence}</b>'
    '<div class="evidence">{numbers}</div><div class="evidence">{meanings}</div>'
    '<div class="evidence">{places}</div><div style="margin-top:.5rem">{ids}</div></div>'
)


def finding_card(
    finding: StoredFinding, features: FeatureVector | None, normal: Mapping[str, NormalRange]
) -> Markup:
    """One finding; the features and normal ranges say what an outlier's distances are worth."""
    bad = finding.severity == Severity.BAD
    ids = markup.badges(
        markup.badge(words.label(finding.severity), Tone.BAD if bad else Tone.WARN),
        markup.badge(f"ATLAS {finding.atlas}", Tone.NONE) if finding.atlas else Markup(),
        markup.badge(f"OWASP {finding.owasp}", Tone.NONE) if finding.owasp else Markup(),
    )
    contributions = contributions_of(finding)
    described = [
        describe_contribution(name, distance, features, normal.get(name))
        for name, distance in contributions.items()
    ]
    return _CARD.format(
        tone="bad" if bad else "warn",
        catalogue=f"MITRE ATLAS {ATLAS_VERSION}, OWASP ML Top 10 {OWASP_VERSION}",
        sentence=words.sentence(finding.rule),
        numbers=" · ".join(_numbers(finding, contributions)),
        meanings=markup.join([*_meanings(finding), *described], Markup("<br>")),
        places=_places(finding),
        ids=ids,
    )


def contributions_of(finding: StoredFinding) -> dict[str, float]:
    """The distances among an outlier's evidence; empty for any other finding."""
    if finding.rule != OUTLIER_TRAFFIC.code:
        return {}
    return {name: value for name, value in finding.evidence.items() if name in FEATURE_NAMES}


def _numbers(finding: StoredFinding, contributions: Mapping[str, float]) -> Iterator[str]:
    for name, value in finding.evidence.items():
        if words_of(name) is None and name not in contributions:
            yield f"{words.label(name)} {_evidence_number(name, value)}"


def _meanings(finding: StoredFinding) -> list[str]:
    """What each sign of an attack means, and how many times the limit of clean pictures it is.

    What is below its own limit is no reason; if all are, the strongest is named without a number.
    """
    signs = {name: value for name, value in finding.evidence.items() if words_of(name) is not None}
    reasons = {name: value for name, value in signs.items() if value >= 1}
    if reasons:
        return [f"{words.number(v)} × the limit: {words_of(name)}" for name, v in reasons.items()]
    return [f"The strongest sign: {words_of(max(signs, key=signs.__getitem__))}"] if signs else []


def _places(finding: StoredFinding) -> Markup:
    """Where it shows, as the overlay outlines it."""
    places = [
        f"{place.part or 'outlined'} at {place.left}, {place.top}: "
        f"{place.right - place.left} × {place.bottom - place.top} pixels"
        for place in finding.places
    ]
    return escape("Where: " + " · ".join(places)) if places else Markup()


def _evidence_number(name: str, value: float) -> str:
    if name == "person":
        return words.number(value + 1)
    if "share" in name:
        return words.percent(value)
    return f"{words.number(value)} body heights" if "gap" in name else words.number(value)
