"""Charts. Times are drawn in UTC, whatever the browser's zone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import altair as alt
import pandas as pd

from dashboard.show.contributions import feature_label
from dashboard.show.words import MAX_RANGES, label, signed_ranges
from dashboard.theme import ACCENT, LINE, QUIET, VERDICT_COLOURS
from detectors.verdict import Verdict
from store.pages.overview import VerdictCount

_BOTTOM_UP = (Verdict.REFUSE, Verdict.FLAG, Verdict.PASS)
# What an axis and its title take of the height that Streamlit gives a chart as a whole.
_AXIS_HEIGHT = 60


def traffic_chart(
    counts: Sequence[VerdictCount], since: datetime, until: datetime, slice_seconds: int
) -> alt.Chart:
    """Requests per slice, stacked by verdict with the worst at the bottom."""
    tick_format = "%H:%M" if until - since < timedelta(days=2) else "%a %d %b"
    chart: alt.Chart = (
        alt.Chart(_stack_rectangles(counts, since, until, slice_seconds), height=250)
        .mark_rect(cornerRadius=1)
        .encode(
            x=alt.X(
                "start:T",
                title=None,
                scale=alt.Scale(type="utc", nice=False),
                axis=alt.Axis(format=tick_format, grid=False, labelOverlap=True, tickCount=9),
            ),
            x2="end:T",
            y=alt.Y(
                "low:Q",
                title="Requests",
                axis=alt.Axis(tickMinStep=1, tickCount=5, format="~s"),
            ),
            y2="high:Q",
            color=_verdict_colours(),
            tooltip=[
                alt.Tooltip("when:N", title="Time"),
                alt.Tooltip("verdict:N", title="Verdict"),
                alt.Tooltip("count:Q", title="Requests"),
            ],
        )
        .configure_view(stroke=None)
        .configure_axis(**_axis_style())
    )
    return chart


def _stack_rectangles(
    counts: Sequence[VerdictCount], since: datetime, until: datetime, slice_seconds: int
) -> pd.DataFrame:
    """One rectangle per slice and verdict, and an empty one at either end of the window."""
    width = timedelta(seconds=slice_seconds)
    tops: Counter[datetime] = Counter()
    rows = [_rectangle(since, since), _rectangle(until, until)]
    for each in sorted(counts, key=lambda count: _BOTTOM_UP.index(count.verdict)):
        rectangle = _rectangle(max(since, each.start), each.start + 0.88 * width)
        rectangle["verdict"], rectangle["count"] = label(each.verdict), each.count
        rectangle["low"] = tops[each.start]
        tops[each.start] += each.count
        rectangle["high"] = tops[each.start]
        rectangle["when"] = _when(each.start, width)
        rows.append(rectangle)
    return pd.DataFrame(rows)


def _when(start: datetime, width: timedelta) -> str:
    if width >= timedelta(days=1):
        return f"{start:%d %b} UTC"
    return f"{start:%d %b %H:%M}–{start + width:%H:%M} UTC"


def _rectangle(start: datetime, end: datetime) -> dict[str, object]:
    empty = {"low": 0, "high": 0, "count": 0, "verdict": label(Verdict.PASS), "when": ""}
    return {"start": start, "end": end, **empty}


def contribution_chart(contributions: Mapping[str, float]) -> alt.Chart:
    """What makes a request unusual: distances from the median in interquartile ranges."""
    data = pd.DataFrame(
        {
            "feature": [feature_label(name) for name in contributions],
            "distance": [
                max(-MAX_RANGES, min(MAX_RANGES, value)) for value in contributions.values()
            ],
            "text": [signed_ranges(value) for value in contributions.values()],
        }
    )
    base = alt.Chart(data, height=30 * len(data) + _AXIS_HEIGHT).encode(
        y=alt.Y("feature:N", title=None, sort=None, axis=alt.Axis(labelLimit=300, ticks=False)),
        x=alt.X(
            "distance:Q",
            title="Interquartile ranges from the median",
            axis=alt.Axis(
                tickCount=6, labelExpr="datum.value > 0 ? '+' + datum.label : datum.label"
            ),
            scale=alt.Scale(padding=34),
        ),
    )
    bars = base.mark_bar(color=ACCENT, cornerRadius=2, size=16)
    above = base.mark_text(align="left", dx=5, color=QUIET).transform_filter("datum.distance >= 0")
    below = base.mark_text(align="right", dx=-5, color=QUIET).transform_filter("datum.distance < 0")
    chart = bars + above.encode(text="text:N") + below.encode(text="text:N")
    result: alt.Chart = chart.configure_view(stroke=None).configure_axis(**_axis_style())
    return result


def _verdict_colours() -> alt.Color:
    domain = [label(verdict) for verdict in VERDICT_COLOURS]
    scale = alt.Scale(domain=domain, range=list(VERDICT_COLOURS.values()))
    return alt.Color("verdict:N", scale=scale, legend=None)


def _axis_style() -> dict[str, object]:
    return {
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelColor": QUIET,
        "titleColor": QUIET,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
    }
