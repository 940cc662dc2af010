"""A request's features against normal."""

from math import isnan

from markupsafe import Markup

from dashboard.show import markup, words
from dashboard.show.contributions import never_differs
from dashboard.show.markup import Column, GroupRow
from dashboard.theme import ACCENT, AMBER_INK, QUIET, VERDICT_COLOURS
from detectors.registry import FEATURES, Feature, FeatureVector, Group
from detectors.verdict import Verdict
from store.pages.request_detail import NormalRange

_GROUPS = {
    Group.INPUT: "Input: what the pixels alone say",
    Group.MODEL: "Model: how sure the segmenter was",
    Group.TOPOLOGY: "Topology: whether the parts form bodies",
    Group.LOOK: "Further looks: whether the parse holds when the pixels change",
    Group.ENSEMBLE: "Ensemble: whether changed pictures say the same",
    Group.TRAFFIC: "Traffic: what came before it",
    Group.COST: "Cost: where the time went",
}
_FAR = 3.0


def feature_table(features: FeatureVector, normal: dict[str, NormalRange]) -> None:
    """Every measured feature, by group, with the quartiles of recent passed requests."""
    rows: list[tuple[str, ...] | GroupRow] = []
    for group, title in _GROUPS.items():
        group_features = [f for f in FEATURES if f.group is group and not isnan(features[f.name])]
        if group_features:
            rows.append(GroupRow(title))
        rows += [_row(each, features[each.name], normal.get(each.name)) for each in group_features]
    markup.table(
        [
            Column("Feature"),
            Column("Value", "right nowrap"),
            Column("Unit", "nowrap"),
            Column("Against normal"),
            Column("Lower quartile", "right nowrap"),
            Column("Median", "right nowrap"),
            Column("Upper quartile", "right nowrap"),
        ],
        rows,
    )


def _row(feature: Feature, value: float, normal: NormalRange | None) -> tuple[str, ...]:
    name = Markup("{}<br>{}").format(feature.meaning, markup.span(feature.name, "mw-code mw-quiet"))
    text = Markup("<b>{}</b>").format(words.feature_value(feature.name, value))
    unit = markup.quiet(words.feature_unit(feature.name))
    if normal is None:
        return (name, text, unit, markup.quiet("nothing to compare with"), "–", "–", "–")
    quartiles = (normal.low, normal.middle, normal.high)
    return (
        name,
        text,
        unit,
        _mark(value, normal),
        *(words.feature_value(feature.name, each) for each in quartiles),
    )


def _mark(value: float, normal: NormalRange) -> Markup:
    if not never_differs(normal):
        return range_mark(distance(value, normal))
    return markup.quiet("as always" if value == normal.middle else "normal never differs")


def distance(value: float, normal: NormalRange) -> float:
    """How far a value lies from the median, in interquartile ranges, which are above 0.

    >>> distance(7.0, NormalRange(1.0, 2.0, 3.0, 10))
    2.5
    """
    return (value - normal.middle) / (normal.high - normal.low)


def range_mark(ranges: float) -> Markup:
    """The quartiles as a band around the middle and the value as a dot, cut off at the ends."""
    place = 50 + 20 * max(-2.25, min(2.25, ranges))
    far, off = abs(ranges) >= _FAR, abs(ranges) >= 1
    colour = VERDICT_COLOURS[Verdict.REFUSE if far else Verdict.FLAG] if off else ACCENT
    words_for = "within" if abs(ranges) <= 0.5 else words.signed_ranges(ranges) + " IQR"
    return Markup(
        '<div class="mw-place"><div class="mw-range">'
        '<div class="axis"></div><div class="band"></div>'
        '<div class="dot" style="left:{:.1f}%;background:{}"></div></div>'
        '<span style="color:{}">{}</span></div>'
    ).format(place, colour, _text_colour(ranges), words_for)


def _text_colour(ranges: float) -> str:
    if abs(ranges) >= _FAR:
        return VERDICT_COLOURS[Verdict.REFUSE]
    return AMBER_INK if abs(ranges) >= 1 else QUIET
