"""Numbers, times and codes in words; every time is UTC and says so."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isnan

from detectors.registry import find_feature
from detectors.rule_book import find_rule
from store.phrases import plural

# Ways in, as records name them.
WAYS_IN: Mapping[str, str] = {
    "api": "Hosted model",
    "proxy": "Proxy",
    "observe": "Reports",
    "screen": "Gate alone",
    "cli": "Command line",
}
# Ways in whose parses are those of somebody else's service.
ATTACHED = ("proxy", "observe")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
MAX_RANGES = 100.0
"""Whatever lies further from normal, in interquartile ranges, tells of a range that is next to
nothing: normal hardly ever differs."""


def utc(time: datetime) -> str:
    """A time to the second.

    >>> from datetime import UTC
    >>> utc(datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC))
    '2026-05-04 03:02:01 UTC'
    """
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def ago(time: datetime, now: datetime) -> str:
    """How long ago in one unit.

    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 4, tzinfo=UTC)
    >>> ago(at, at + timedelta(minutes=90)), ago(at + timedelta(minutes=5), at)
    ('90 min ago', 'in 5 min')
    """
    seconds = (now - time).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    span = duration(timedelta(seconds=abs(seconds)))
    return f"{span} ago" if seconds > 0 else f"in {span}"


def duration(span: timedelta) -> str:
    """A length of time in one unit, coarse enough to read at a glance."""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} d"


def duration_of(seconds: float) -> str:
    """The same for a number of seconds."""
    return duration(timedelta(seconds=seconds))


def count(how_many: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "client"), count(2, "client")
    ('1 client', '2 clients')
    """
    return f"{number(how_many)} {noun if how_many == 1 else plural(noun)}"


def number(value: float) -> str:
    """Three significant digits or all before the point, thousands apart.

    >>> number(1234567.0), number(0.01234), number(-3.14159), number(float("nan"))
    ('1\\u202f234\\u202f567', '0.0123', '\u22123.14', '–')
    """
    if isnan(value):
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{size:.3g}" if size < 1 else f"{size:,.{digits}f}".replace(",", "\u202f")
    text = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return f"\u2212{text}" if value < 0 and text != "0" else text


def signed_number(value: float) -> str:
    """One decimal with its sign.

    >>> signed_number(1.26), signed_number(-3.0)
    ('+1.3', '\u22123.0')
    """
    return f"{value:+.1f}".replace("-", "\u2212")


def signed_ranges(distance: float) -> str:
    """A distance from the median in interquartile ranges, as far as it says anything.

    >>> signed_ranges(1.26), signed_ranges(-25000.0)
    ('+1.3', 'below \u2212100')
    """
    if abs(distance) <= MAX_RANGES:
        return signed_number(distance)
    return f"above +{MAX_RANGES:.0f}" if distance > 0 else f"below \u2212{MAX_RANGES:.0f}"


def percent(share: float) -> str:
    """A share with at most one decimal.

    >>> percent(0.1234), percent(0.05), percent(0.0004)
    ('12.3\\u202f%', '5\\u202f%', '0.04\\u202f%')
    """
    value = 100 * share
    text = f"{value:.2g}" if 0 < value < 0.1 else f"{value:.1f}".removesuffix(".0")
    return f"{text}\u202f%"


def label(code: str) -> str:
    """A stored code as words: ``too_many_pixels`` becomes ``Too many pixels``."""
    words = code.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def way_in(route: str) -> str:
    """What a request came through; its code in words if this version does not know it."""
    return WAYS_IN.get(route, label(route))


def sentence(rule: str) -> str:
    """What a rule means; the code in words if this version does not know the rule."""
    try:
        return find_rule(rule).sentence
    except KeyError:
        return f"{label(rule)}."


def feature_value(name: str, value: float) -> str:
    """A feature's value without its unit; a share as a percentage."""
    is_share = find_feature(name).unit == "share" and not isnan(value)
    return percent(value) if is_share else number(value)


def feature_unit(name: str) -> str:
    """A feature's unit, unless its value shows it already."""
    unit = find_feature(name).unit
    return "" if unit == "share" else unit


def value_with_unit(name: str, value: float) -> str:
    """A feature's value as a sentence says it."""
    unit = feature_unit(name)
    return f"{feature_value(name, value)} {'' if unit == 'count' else unit}".strip()


def short(digest: str) -> str:
    """The first eight characters of a digest."""
    return digest[:8]
