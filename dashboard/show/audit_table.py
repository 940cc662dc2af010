"""Audit entries in a list."""

import re
from collections.abc import Sequence
from datetime import datetime

from dashboard.show import markup, words
from dashboard.show.markup import Column, Html, Tone
from store.audit_views import AuditView

_ALERT = re.compile(r"alert ([0-9]{1,18})")
_DECISION = re.compile(r"decision [0-9]+")
_MOST_CHARACTERS = 120


def audit_table(entries: Sequence[AuditView], now: datetime) -> None:
    """One line per entry; a row that was changed says so."""
    columns = [
        Column("Row", "right nowrap"),
        Column("When", "nowrap"),
        Column("Who"),
        Column("What", "nowrap"),
        Column("To what"),
        Column("Details"),
    ]
    markup.table(columns, [_line(entry, now) for entry in entries])


def _line(entry: AuditView, now: datetime) -> tuple[str, ...]:
    return (
        _row(entry),
        _when(entry.at, now),
        markup.code(entry.actor),
        words.label(entry.action),
        _subject(entry.subject),
        _details(entry),
    )


def _row(entry: AuditView) -> Html:
    number = markup.html_of(str(entry.sequence))
    if entry.fits:
        return number
    return Html(f"{number}<br>{markup.badge('✕ Changed', Tone.BAD)}")


def _when(at: datetime | None, now: datetime) -> Html:
    if at is None:
        return markup.quiet("no time")
    return markup.stacked(words.utc(at), words.ago(at, now))


def _subject(subject: str) -> Html:
    if alert := _ALERT.fullmatch(subject):
        return markup.link("alerts", subject, alert=alert[1])
    if _DECISION.fullmatch(subject):
        return markup.link("blacklist", subject)
    return markup.html_of(subject)


def _details(entry: AuditView) -> Html:
    told = [
        markup.joined((markup.quiet(words.label(name)), _value(value)))
        for name, value in entry.details.items()
    ]
    return markup.joined(told, Html("<br>")) if told else markup.quiet("–")


def _value(value: object) -> Html:
    text = str(value)
    if isinstance(value, bool):
        text = "yes" if value else "no"
    if value is None:
        text = "–"
    cut = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
    return markup.span(cut, "mw-small mw-wrap")
