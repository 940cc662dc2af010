"""HTML for the pages. What is not ``Markup`` is escaped: clients choose some of these words."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

import streamlit as st
from markupsafe import Markup, escape

from dashboard.show.words import label, short
from dashboard.theme import VERDICT_COLOURS
from detectors.verdict import Verdict
from store.pages.alert_views import AlertView


class Tone(StrEnum):
    """What a colour says."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    NONE = "none"


_FEEDBACK = {"confirmed": (Tone.BAD, "✕ Confirmed"), "dismissed": (Tone.GOOD, "✓ Dismissed")}
_VERDICTS = {
    Verdict.PASS: (Tone.GOOD, "✓ Pass"),
    Verdict.FLAG: (Tone.WARN, "⚑ Flag"),
    Verdict.REFUSE: (Tone.BAD, "✕ Refuse"),
}


def stack(upper: str, lower: str) -> Markup:
    """A value and, below it, a smaller remark."""
    return Markup("{}<br>{}").format(upper, quiet(lower))


def join(parts: Iterable[str], separator: str = " ") -> Markup:
    """Several values in a row."""
    return escape(separator).join(parts)


def put(*parts: str) -> None:
    """Show HTML on the page."""
    st.html(Markup('<div class="mw">{}</div>').format(join(parts)))


def span(text: str, classes: str) -> Markup:
    """Text with style classes."""
    return Markup('<span class="{}">{}</span>').format(classes, text)


def quiet(text: str) -> Markup:
    """Text that steps back."""
    return span(text, "mw-quiet mw-small")


def code(text: str) -> Markup:
    """An id, digest or client name."""
    return span(text, "mw-code mw-wrap")


def prose(text: str) -> Markup:
    """A sentence in which names of commands and rules stand between backticks."""
    parts = text.split("`")
    names = (code(part) if place % 2 else escape(part) for place, part in enumerate(parts))
    return join(names, "")


def thumbnail(png: bytes, alt: str) -> Markup:
    """A small picture, enlarged without smoothing."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return Markup('<img class="mw-thumb" src="{}" alt="{}">').format(source, alt)


def badge(text: str, tone: Tone) -> Markup:
    """A small coloured label."""
    return span(text, f"mw-badge mw-{tone}")


def verdict_badge(verdict: Verdict) -> Markup:
    """The verdict in its colour, with a sign for readers who do not see the colour."""
    tone, text = _VERDICTS[verdict]
    return badge(text, tone)


def feedback_badge(feedback: str) -> Markup:
    """What a person said: it is an attack, or it is none."""
    tone, text = _FEEDBACK[feedback]
    return badge(text, tone)


def alert_badge(alert: AlertView) -> Markup:
    """Whether an alert fires, and how badly."""
    if not alert.firing:
        return badge("✓ Resolved", Tone.NONE)
    critical = alert.severity == "critical"
    return badge(f"● {label(alert.severity)}", Tone.BAD if critical else Tone.WARN)


def badges(*parts: str) -> Markup:
    """Badges that wrap."""
    return Markup('<div class="mw-badges">{}</div>').format(join(parts, ""))


def reasons(codes: Sequence[str]) -> Markup:
    """Reason codes in words."""
    return join((label(each) for each in codes), ", ") if codes else quiet("–")


def link(page: str, text: str, **query: str) -> Markup:
    """A link to a page of the dashboard."""
    address = f"/{page}?{urlencode(query)}" if query else f"/{page}"
    return Markup('<a class="mw-link" href="{}" target="_self">{}</a>').format(address, text)


def request_link(request_id: str) -> Markup:
    """The last group of a request's id, which opens the request.

    Ids begin with the time, and those of one hour all begin alike. The other groups are there too,
    without a size, so that the whole id is copied.
    """
    name = Markup('<span class="mw-code mw-id" title="{}"><i>{}</i>{}</span>')
    before, dash, last = request_id.rpartition("-")
    return link("request", name.format(request_id, before + dash, last), id=request_id)


def source(name: str | None, digest: str) -> Markup:
    """What parsed, by its name if it has one.

    The digest shows when the pointer rests there, and is copied along.
    """
    if name is None:
        return Markup('<span class="mw-code" title="{}">{}</span>').format(digest, short(digest))
    text = Markup('<span class="mw-wrap mw-source" title="{}">{}<i> {}</i></span>')
    return text.format(digest, name, digest)


def client_link(client: str) -> Markup:
    """A client's name that opens its traffic."""
    return link("traffic", code(client), client=client)


def family_link(family: int | str) -> Markup:
    """A family's number that opens it."""
    return link("families", f"Family {family}", id=str(family))


def head(title: str, subtitle: str) -> None:
    """The page's title and what it is for."""
    page_head = Markup('<div class="mw-head"><h1>{}</h1><p>{}</p></div>')
    st.html(page_head.format(title, subtitle))


def section(title: str, note: str = "", aside: str = "") -> None:
    """A heading within a page, with something small at its far end."""
    small = Markup("<small>{}</small>").format(note) if note else ""
    end = Markup('<div class="mw-aside">{}</div>').format(aside) if aside else ""
    heading = Markup('<div class="mw-section"><h2>{}{}</h2>{}</div>')
    st.html(heading.format(title, small, end))


def empty(title: str, advice: str) -> None:
    """What to show instead of nothing: what is missing and what to do about it."""
    st.html(Markup('<div class="mw-empty"><b>{}</b>{}</div>').format(title, prose(advice)))


@dataclass(frozen=True)
class Tile:
    """A headline number."""

    label: str
    value: str
    note: str = ""
    tone: Tone = Tone.NONE


def tiles(*each: Tile) -> None:
    """Headline numbers in a row."""
    inner = join((_TILE.format(tile) for tile in each), "")
    st.html(Markup('<div class="mw-tiles">{}</div>').format(inner))


_TILE = Markup(
    '<div class="mw-tile mw-on-{0.tone}"><div class="label">{0.label}</div>'
    '<div class="value">{0.value}</div><div class="note">{0.note}</div></div>'
)


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
    titles = (Markup('<th class="{0.style}">{0.title}</th>').format(each) for each in columns)
    body = (_row(columns, row) for row in rows)
    st.html(_TABLE.format(join(titles, ""), join(body, "")))


_TABLE = Markup(
    '<div class="mw mw-table"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
)


def _row(columns: Sequence[Column], row: Sequence[str] | GroupRow) -> Markup:
    if isinstance(row, GroupRow):
        line = Markup('<tr class="group"><td colspan="{}">{}</td></tr>')
        return line.format(len(columns), row.title)
    cell = Markup('<td class="{}">{}</td>')
    cells = (cell.format(column.style, value) for column, value in zip(columns, row, strict=True))
    return Markup("<tr>{}</tr>").format(join(cells, ""))


def facts(pairs: Mapping[str, str]) -> None:
    """Names and values side by side."""
    pair = Markup("<div><dt>{}</dt><dd>{}</dd></div>")
    inner = join((pair.format(*each) for each in pairs.items()), "")
    st.html(Markup('<dl class="mw mw-facts">{}</dl>').format(inner))


def swatch(text: str, colour: tuple[int, int, int]) -> Markup:
    """A name after a small square of its colour."""
    square = Markup('<i style="background:rgb({},{},{})"></i>').format(*colour)
    return Markup('<span class="mw-swatch">{}{}</span>').format(square, text)


def bar(share: float, colour: str) -> Markup:
    """A share between 0 and 1 as a bar."""
    width = 100 * min(1.0, max(0.0, share))
    template = Markup('<div class="mw-bar"><i style="width:{:.1f}%;background:{}"></i></div>')
    return template.format(width, colour)


def verdict_legend() -> Markup:
    """Which colour is which verdict."""
    entry = Markup('<span><i style="background:{}"></i>{}</span>')
    entries = (entry.format(VERDICT_COLOURS[verdict], label(verdict)) for verdict in Verdict)
    return Markup('<div class="mw-legend">{}</div>').format(join(entries, ""))
