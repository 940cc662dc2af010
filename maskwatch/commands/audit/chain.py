"""``maskwatch audit``: whether the chain holds, and its entries."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detectors.errors import MaskwatchError
from maskwatch.commands.printable import escape_unprintable
from store.audit.anchors import read_anchors
from store.audit.hash_chain import GENESIS, ChainCheck
from store.engine.existing import existing_database
from store.engine.schema.objects import object_faults
from store.pages.audit_views import AuditFilter, AuditView, audit_entries, verify
from store.settings import StoreSettings

_HEX_DIGITS = frozenset("0123456789abcdef")
_WIDTHS = (8, 20, 24, 23)


class BadHash(MaskwatchError):
    """Something that is not the hash of a row."""


@dataclass(frozen=True)
class ChainLine:
    """One line about the chain, and whether something is wrong with it."""

    text: str
    is_wrong: bool = False


def check_chain(
    settings: StoreSettings, head: str | None, anchor_file: Path | None = None
) -> Iterator[ChainLine]:
    """Everything that is wrong with the chain, as it is found; then a sentence about all of it.

    Args:
        anchor_file: with anchors that must hold, over the settings.

    Raises:
        MaskwatchError: the expected hash is none, the file has no anchors, or the database cannot
            be used.
    """
    file = anchor_file or settings.audit.audit_anchor_file
    anchors = () if file is None else read_anchors(file)
    target = GENESIS if head is None else _read_hash(head)
    with existing_database(settings) as database:
        check = ChainCheck(target)
        faults = 0
        for change in object_faults(database):
            faults += 1
            yield ChainLine(f"The database was changed: {change}.", is_wrong=True)
        for fault in verify(database, check, anchors):
            faults += 1
            yield ChainLine(fault.sentence, is_wrong=True)
    if not check.is_head_met:
        faults += 1
        yield ChainLine(
            f"No row has the hash {target}: rows were removed from the end, or written anew.",
            is_wrong=True,
        )
    if anchors and not faults:
        yield ChainLine(f"Every anchored row is there: {len(anchors)} anchors of {file}.")
    yield ChainLine(_summarise(check, faults), is_wrong=faults > 0)


def list_entries(settings: StoreSettings, selection: AuditFilter) -> Iterator[AuditView]:
    """Entries, oldest first.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database:
        yield from audit_entries(database, selection)


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


def describe_columns() -> str:
    """Titles for the columns of :func:`to_text`."""
    return _lay_out_row("row", "time (UTC)", "actor", "action", "subject and details")


def to_text(entry: AuditView) -> str:
    """One line for people; what is no printable character is escaped."""
    at = f"{entry.at:%Y-%m-%d %H:%M:%S}" if entry.at else "?"
    details = ", ".join(f"{name}={value}" for name, value in entry.details.items())
    subject = f"{entry.subject}  {details}" if details else entry.subject
    mark = "" if entry.fits else "  CHANGED"
    return _lay_out_row(str(entry.sequence), at, entry.actor, entry.action, subject + mark)


def _lay_out_row(*cells: str) -> str:
    columns = [f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=False)]
    text = " ".join([*columns, cells[-1]])
    return escape_unprintable(text)


def _read_hash(text: str) -> str:
    digits = text.strip().lower()
    if len(digits) != 64 or not _HEX_DIGITS.issuperset(digits):
        raise BadHash("Give --expect a hash that `maskwatch audit verify` printed: 64 hex digits.")
    return digits


def _summarise(check: ChainCheck, faults: int) -> str:
    rows = f"{check.rows} row{'' if check.rows == 1 else 's'}"
    if faults:
        count = f"{faults} fault{'' if faults == 1 else 's'}"
        return f"The audit chain does not hold: {count} in {rows}. Last hash: {check.head}"
    if not check.rows:
        return "The audit chain is empty."
    return f"The audit chain holds: {rows}. Last hash: {check.head}"
