"""HTML for the pages. What is not :class:`Html` is escaped: clients choose some of these words."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from urllib.parse import urlencode

import streamlit as st

from dashboard.show.words import label, short
from dashboard.theme import VERDICT_COLOURS
from detectors.verdict import Verdict
from store.pages.alert_views import AlertView


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


class Tone(StrEnum):
    """What a colour says."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    NONE = "none"


_VERDICTS = {
    Verdict.PASS: (Tone.GOOD, "✓ Pass"),
    Verdict.FLAG: (Tone.WARN, "⚑ Flag"),
    Verdict.REFUSE: (Tone.BAD, "✕ Refuse"),
}


def html_of(value: str) -> Html:
    """A value as HTML, escaped unless it is HTML already."""
    return value if isinstance(value, Html) else Html(escape(value))


def stacked(upper: str, lower: str) -> Html:
    """A value and, below it, a smaller remark."""
    return Html(f"{html_of(upper)}<br>{quiet(lower)}")


def joined(parts: Iterable[str], separator: str = " ") -> Html:
    """Several values in a row."""
    return Html(separator.join(html_of(part) for part in parts))


def put(*parts: str) -> None:
    """Show HTML on the page."""
    st.html(f'<div class="mw">{joined(parts)}</div>')


def span(text: str, classes: str) -> Html:
    """Text with style classes."""
    return Html(f'<span class="{classes}">{html_of(text)}</span>')


def quiet(text: str) -> Html:
    """Text that steps back."""
    return span(text, "mw-quiet mw-small")


def code(text: str) -> Html:
    """An id, digest or client name."""
    return span(text, "mw-code mw-wrap")


def thumbnail(png: bytes, alt: str) -> Html:
    """A small picture, enlarged without smoothing."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return Html(f'<img class="mw-thumb" src="{source}" alt="{escape(alt)}">')


def badge(text: str, tone: Tone) -> Html:
    """A small coloured label."""
    return span(text, f"mw-badge mw-{tone}")


def verdict_badge(verdict: Verdict) -> Html:
    """The verdict in its colour, with a sign for readers who do not see the colour."""
    tone, text = _VERDICTS[verdict]
    return badge(text, tone)


def alert_badge(alert: AlertView) -> Html:
    """Whether an alert fires, and how badly."""
    if not alert.firing:
        return badge("✓ Resolved", Tone.NONE)
    critical = alert.severity == "critical"
    return badge(f"● {label(alert.severity)}", Tone.BAD if critical else Tone.WARN)


def badges(*parts: str) -> Html:
    """Badges that wrap."""
    return Html(f'<div class="mw-badges">{joined(parts, "")}</div>')


def reasons(codes: Sequence[str]) -> Html:
    """Reason codes in words."""
    return joined((label(each) for each in codes), ", ") if codes else quiet("–")


def link(page: str, text: str, **query: str) -> Html:
    """A link to a page of the dashboard."""
    address = f"/{page}?{urlencode(query)}" if query else f"/{page}"
    return Html(f'<a class="mw-link" href="{escape(address)}" target="_self">{html_of(text)}</a>')


def request_link(request_id: str) -> Html:
    """A short request id that opens the request."""
    return link("request", code(short(request_id)), id=request_id)


def client_link(client: str) -> Html:
    """A client's name that opens its traffic."""
    return link("traffic", code(client), client=client)


def head(title: str, subtitle: str) -> None:
    """The page's title and what it is for."""
    st.html(f'<div class="mw-head"><h1>{html_of(title)}</h1><p>{html_of(subtitle)}</p></div>')


def section(title: str, note: str = "", aside: str = "") -> None:
    """A heading within a page, with something small at its far end."""
    small = f"<small>{html_of(note)}</small>" if note else ""
    end = f'<div class="mw-aside">{html_of(aside)}</div>' if aside else ""
    st.html(f'<div class="mw-section"><h2>{html_of(title)}{small}</h2>{end}</div>')


def empty(title: str, advice: str) -> None:
    """What to show instead of nothing: what is missing and what to do about it."""
    st.html(f'<div class="mw-empty"><b>{html_of(title)}</b>{html_of(advice)}</div>')


@dataclass(frozen=True)
class Tile:
    """A headline number."""

    label: str
    value: str
    note: str = ""
    tone: Tone = Tone.NONE


def tiles(*each: Tile) -> None:
    """Headline numbers in a row."""
    inner = "".join(
        f'<div class="mw-tile mw-on-{tile.tone}"><div class="label">{html_of(tile.label)}</div>'
        f'<div class="value">{html_of(tile.value)}</div>'
        f'<div class="note">{html_of(tile.note)}</div></div>'
        for tile in each
    )
    st.html(f'<div class="mw-tiles">{inner}</div>')


@dataclass(frozen=True)
class Column:
    """A table column; ``style`` is any of ``right`` and ``nowrap``."""

    title: str
    style: str = ""


@dataclass(frozen=True)
class GroupRow:
    """A line within a table that names the rows below it."""

    title: str


def table(columns: Sequence[Column], rows: Iterable[Sequence[str] | GroupRow]) -> None:
    """A table of escaped text and HTML cells."""
    head_cells = "".join(f'<th class="{c.style}">{html_of(c.title)}</th>' for c in columns)
    body = "".join(_row(columns, row) for row in rows)
    st.html(
        f'<div class="mw mw-table"><table><thead><tr>{head_cells}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(columns: Sequence[Column], row: Sequence[str] | GroupRow) -> str:
    if isinstance(row, GroupRow):
        return f'<tr class="group"><td colspan="{len(columns)}">{html_of(row.title)}</td></tr>'
    cells = zip(columns, row, strict=True)
    inner = "".join(f'<td class="{column.style}">{html_of(cell)}</td>' for column, cell in cells)
    return f"<tr>{inner}</tr>"


def facts(pairs: Mapping[str, str]) -> None:
    """Names and values side by side."""
    inner = "".join(
        f"<div><dt>{html_of(name)}</dt><dd>{html_of(value)}</dd></div>"
        for name, value in pairs.items()
    )
    st.html(f'<dl class="mw mw-facts">{inner}</dl>')


def swatch(text: str, colour: tuple[int, int, int]) -> Html:
    """A name after a small square of its colour."""
    red, green, blue = colour
    square = f'<i style="background:rgb({red},{green},{blue})"></i>'
    return Html(f'<span class="mw-swatch">{square}{html_of(text)}</span>')


def bar(share: float, colour: str) -> Html:
    """A share between 0 and 1 as a bar."""
    width = 100 * min(1.0, max(0.0, share))
    return Html(f'<div class="mw-bar"><i style="width:{width:.1f}%;background:{colour}"></i></div>')


def verdict_legend() -> Html:
    """Which colour is which verdict."""
    inner = "".join(
        f'<span><i style="background:{VERDICT_COLOURS[verdict]}"></i>{label(verdict)}</span>'
        for verdict in Verdict
    )
    return Html(f'<div class="mw-legend">{inner}</div>')
