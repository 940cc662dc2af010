"""Audit entries in a list."""

import re
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup, escape

from dashboard.show import markup, words
from dashboard.show.markup import Column, Tone
from store.pages.audit_views import AuditView

_ALERT = re.compile(r"alert ([0-9]{1,18})")
_DECISION = re.compile(r"decision [0-9]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_OF_NAME, _MAX_OF_VALUE = 40, 200


def audit_table(entries: Sequence[AuditView], now: datetime) -> None:
    """One line per entry; a row that was changed says so."""
    columns = [
        Column("Row", "right nowrap"),
        Column("When", "nowrap"),
        Column("Who", "nowrap"),
        Column("What", "nowrap"),
        Column("To what"),
        Column("Details"),
    ]
    markup.table(columns, [_line(entry, now) for entry in entries])


def _line(entry: AuditView, now: datetime) -> tuple[str, ...]:
    return (
        _row(entry),
        _when(entry.at, now),
        markup.span(_cut(entry.actor, _MAX_OF_NAME), "mw-code"),
        words.label(entry.action),
        _subject(entry.subject),
        _details(entry),
    )


def _row(entry: AuditView) -> Markup:
    number = escape(entry.sequence)
    if entry.fits:
        return number
    return Markup("{}<br>{}").format(number, markup.badge("✕ Changed", Tone.BAD))


def _when(at: datetime | None, now: datetime) -> Markup:
    if at is None:
        return markup.quiet("no time")
    return markup.stack(words.utc(at), words.ago(at, now))


def _subject(subject: str) -> Markup:
    if alert := _ALERT.fullmatch(subject):
        return markup.link("alerts", subject, alert=alert[1])
    if _DECISION.fullmatch(subject):
        return markup.link("blacklist", subject)
    return markup.span(subject, "mw-wrap") if len(subject) > _MAX_OF_NAME else escape(subject)


def _details(entry: AuditView) -> Markup:
    parts = [
        markup.join((markup.quiet(words.label(name)), _value(value)))
        for name, value in entry.details.items()
    ]
    return markup.join(parts, Markup(" · ")) if parts else markup.quiet("–")


def _value(value: object) -> Markup:
    if value is None or isinstance(value, bool):
        return markup.span({None: "–", True: "yes", False: "no"}[value], "mw-small")
    text = str(value)
    if _TIME.fullmatch(text):
        text = f"{text[:10]} {text[11:19]} UTC"
    elif _DIGEST.fullmatch(text):
        text = f"{words.short(text)}…"
    return markup.span(_cut(text, _MAX_OF_VALUE), "mw-small mw-wrap")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
