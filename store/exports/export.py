"""Export: requests with their features, batch by batch, into a stream or a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.exports.export_columns import FEATURE_COLUMNS, REQUEST_COLUMNS, Window
from store.exports.export_formats import Format, Values, writer_of
from store.requests.request_keys import arrived_since
from store.tables.request_tables import FindingRow, RequestRow, features_table

_BATCH = 5_000


class ExportError(MaskwatchError):
    """An export that cannot be made as asked."""


@dataclass(frozen=True)
class Batch:
    """Some requests: one tuple of values for each, in the order of the export's columns."""

    rows: tuple[Values, ...]


def parse_format(name: str) -> Format:
    """The format of a name.

    Raises:
        ExportError: there is none; with the names that there are.
    """
    try:
        return Format(name.strip().lower())
    except ValueError:
        formats = ", ".join(Format)
        raise ExportError(f"There is no format {name!r}: the formats are {formats}.") from None


def window_of(since: datetime, until: datetime) -> Window:
    """The requests received from one time on and before another.

    Raises:
        ExportError: the first is not before the second.
    """
    if since >= until:
        raise ExportError(
            f"Nothing lies between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC: "
            "--since has to be before --until, and not in the future."
        )
    return Window(since, until)


def export_to(database: Database, window: Window, form: Format, sink: IO[bytes]) -> int:
    """Write every request of a window; returns how many there were. The sink stays open.

    No more than two batches are held at a time, and no transaction is longer than one batch, so
    that neither writers nor retention wait for an export. What retention deletes meanwhile is not
    in it.

    Raises:
        StoreUnavailable: the database cannot be read.
        OSError: the sink cannot be written.
    """
    number = 0
    writer = writer_of(form, window, sink)
    try:
        for batch in batches(database, window):
            writer.write(batch.rows)
            number += len(batch.rows)
    finally:
        writer.close()
    return number


def batches(database: Database, window: Window) -> Iterator[Batch]:
    """The requests of a window in the order of their primary keys.

    Raises:
        StoreUnavailable: the database cannot be read.
    """
    statement = _statement(window)
    while True:
        with database.read() as session:
            rows = session.execute(statement).all()
            batch = _batch(session, rows)
        if batch.rows:
            yield batch
        if len(rows) < _BATCH:
            return
        statement = _statement(window).where(RequestRow.id > rows[-1].id)


def _statement(window: Window) -> Select[tuple[object, ...]]:
    of_request = [getattr(RequestRow, column.name) for column in REQUEST_COLUMNS]
    of_features = [features_table.c[column.name] for column in FEATURE_COLUMNS]
    return (
        select(RequestRow.id, *of_request, *of_features)
        .outerjoin(features_table, features_table.c.request_pk == RequestRow.id)
        .where(arrived_since(window.since), RequestRow.received_at < window.until)
        .order_by(RequestRow.id)
        .limit(_BATCH)
    )


def _batch(session: Session, rows: Sequence[Row[tuple[object, ...]]]) -> Batch:
    if not rows:
        return Batch(())
    findings = _findings(session, rows[0][0], rows[-1][0])
    first = 1 + len(REQUEST_COLUMNS)
    return Batch(tuple((*row[1:first], findings.get(row[0], []), *row[first:]) for row in rows))


def _findings(session: Session, first: object, last: object) -> dict[object, list[object]]:
    """Findings by request: a range of keys costs one statement, however many requests it has."""
    by_request: dict[object, list[object]] = {}
    rows = session.execute(
        select(
            FindingRow.request_pk,
            FindingRow.rule,
            FindingRow.severity,
            FindingRow.evidence,
            FindingRow.places,
            FindingRow.atlas,
            FindingRow.owasp,
        )
        .where(FindingRow.request_pk.between(first, last))
        .order_by(FindingRow.request_pk, FindingRow.id)
    )
    for row in rows:
        finding = row._asdict()
        by_request.setdefault(finding.pop("request_pk"), []).append(finding)
    return by_request
