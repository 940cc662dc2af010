"""``maskwatch audit``: whether the chain holds, and what it tells of."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from detectors.errors import MaskwatchError
from store.audit.hash_chain import GENESIS, ChainCheck
from store.engine.database import Database
from store.engine.schema import ensure_current
from store.pages.audit_views import AuditFilter, AuditView, audit_entries, verify
from store.settings import StoreSettings

_HASH = frozenset("0123456789abcdef")
_WIDTHS = (8, 20, 24, 23)


class BadHash(MaskwatchError):
    """Something that is not the hash of a row."""


@dataclass(frozen=True)
class Line:
    """One line about the chain, and whether something is wrong with it."""

    text: str
    wrong: bool = False


def checked(settings: StoreSettings, expected: str | None) -> Iterator[Line]:
    """Everything that is wrong with the chain, as it is found; then a sentence about all of it.

    Raises:
        MaskwatchError: the expected hash is none, or the database cannot be used.
    """
    head = GENESIS if expected is None else _hash(expected)
    with closing(Database.open(settings)) as database:
        ensure_current(database)
        check = ChainCheck(head)
        faults = 0
        for fault in verify(database, check):
            faults += 1
            yield Line(fault.sentence, wrong=True)
    if not check.is_head_met:
        faults += 1
        yield Line(
            f"No row has the hash {head}: rows were removed from the end, or written anew.",
            wrong=True,
        )
    yield Line(_summary(check, faults), wrong=faults > 0)


def listed(settings: StoreSettings, wanted: AuditFilter) -> Iterator[AuditView]:
    """Entries, oldest first.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with closing(Database.open(settings)) as database:
        ensure_current(database)
        yield from audit_entries(database, wanted)


def to_json(entry: AuditView) -> str:
    """One JSON object; the time in ISO 8601, UTC."""
    return json.dumps(
        {
            "sequence": entry.sequence,
            "at": entry.at and entry.at.isoformat(),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "details": entry.details,
            "own_hash": entry.own_hash,
            "fits": entry.fits,
        }
    )


def heading() -> str:
    """Titles for the columns of :func:`to_text`."""
    return _row("row", "time (UTC)", "actor", "action", "subject and details")


def to_text(entry: AuditView) -> str:
    """One line for people; what is no printable character is escaped."""
    at = f"{entry.at:%Y-%m-%d %H:%M:%S}" if entry.at else "?"
    details = ", ".join(f"{name}={value}" for name, value in entry.details.items())
    told = f"{entry.subject}  {details}" if details else entry.subject
    changed = "" if entry.fits else "  CHANGED"
    return _row(str(entry.sequence), at, entry.actor, entry.action, told + changed)


def _row(*cells: str) -> str:
    padded = [f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=False)]
    text = " ".join([*padded, cells[-1]])
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _hash(typed: str) -> str:
    text = typed.strip().lower()
    if len(text) != 64 or not _HASH.issuperset(text):
        raise BadHash("Give --expect a hash that `maskwatch audit verify` printed: 64 hex digits.")
    return text


def _summary(check: ChainCheck, faults: int) -> str:
    rows = f"{check.rows} row{'' if check.rows == 1 else 's'}"
    if faults:
        found = f"{faults} fault{'' if faults == 1 else 's'}"
        return f"The audit chain does not hold: {found} in {rows}. Last hash: {check.head}"
    if not check.rows:
        return "The audit chain is empty."
    return f"The audit chain holds: {rows}. Last hash: {check.head}"
