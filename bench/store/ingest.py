"""How many records a second the recorder takes, beside a bare insert of the same rows.

The bare insert is what SQLAlchemy Core does with one executemany a table, or COPY on PostgreSQL,
of rows that were made beforehand: in groups of the same size, each in a transaction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from bench.store.servers import open_database
from inference.metrics import Metrics
from inference.recording.recorder import Recorder
from inference.recording.recorder_settings import Durability, RecorderLimits
from store.engine.bulk.postgresql_copy import copy_all
from store.engine.bulk.rows import Rows
from store.engine.database import Database
from store.requests.record_rows import FEATURE_COLUMNS, REQUEST_COLUMNS, TIMES, request_row
from store.requests.records import RequestRecord
from store.requests.request_keys import key_of
from store.spool.spool import Spool
from store.tables.request_tables import RequestRow, features_table

GROUP = 256
_ROUNDS = 5
_REQUESTS = cast(Table, RequestRow.__table__)


def measure_ingest(kind: str, folder: Path, records: Sequence[RequestRecord]) -> dict[str, float]:
    """Medians over rounds of records each, the two sides in turn on databases of their own."""
    size = len(records) // _ROUNDS
    rounds = [records[n * size : (n + 1) * size] for n in range(_ROUNDS)]
    ours, bare = [], []
    with open_database(kind, folder / "ours") as mine, open_database(kind, folder / "bare") as peer:
        for part in rounds:
            ours.append(_through_the_recorder(mine, folder, part))
            bare.append(_bare(peer, part))
    return {
        f"ingest_{kind}_rows_s": median(ours),
        f"ingest_{kind}_core_rows_s": median(bare),
        f"ingest_{kind}_ratio_vs_core": median(a / b for a, b in zip(ours, bare, strict=True)),
    }


def _through_the_recorder(
    database: Database, folder: Path, records: Sequence[RequestRecord]
) -> float:
    limits = RecorderLimits(Durability.RELAXED, batch=GROUP, queue=4096, queue_seconds=60)
    spool = Spool(folder)
    start = perf_counter()
    recorder = Recorder(database, spool, Metrics(), limits)
    for record in records:
        recorder.record(record)
    recorder.close()
    seconds = perf_counter() - start
    if not spool.is_empty():
        raise RuntimeError("The database did not keep up: records went to the spool.")
    return len(records) / seconds


def _bare(database: Database, records: Sequence[RequestRecord]) -> float:
    insert_group = _copy if database.dialect == "postgresql" else _executemany
    groups = list(_groups(database.dialect, records))
    start = perf_counter()
    for group in groups:
        with database.write() as session:
            insert_group(session, group)
    return len(records) / (perf_counter() - start)


@dataclass(frozen=True)
class Group:
    """Rows of one transaction, in the form that the side's insert takes.

    Attributes:
        requests, features: tuples for COPY, mappings for executemany.
    """

    requests: list[Any]
    features: list[Any]


def _groups(dialect: str, records: Sequence[RequestRecord]) -> Iterator[Group]:
    convert = _tuples if dialect == "postgresql" else _mappings
    keys: list[int] = []
    for record in records:
        keys.append(max(key_of(record.received_at), keys[-1] + 1 if keys else 0))
    for first in range(0, len(records), GROUP):
        yield convert(keys[first : first + GROUP], records[first : first + GROUP])


def _tuples(keys: Sequence[int], records: Sequence[RequestRecord]) -> Group:
    time = TIMES["postgresql"]
    requests, features = [], []
    for key, record in zip(keys, records, strict=True):
        requests.append(request_row(key, record, time))
        if record.features is not None:
            values = (None if isnan(value) else value for value in record.features.values_in_order)
            features.append((key, *values))
    return Group(requests, features)


def _mappings(keys: Sequence[int], records: Sequence[RequestRecord]) -> Group:
    names = [column for column in REQUEST_COLUMNS if column not in {"id", "reasons", "labels"}]
    requests, features = [], []
    for key, record in zip(keys, records, strict=True):
        lists = {"reasons": list(record.reasons), "labels": list(record.labels)}
        requests.append({"id": key, **lists} | {name: getattr(record, name) for name in names})
        if record.features is not None:
            values = record.features.values_in_order
            features.append(dict(zip(FEATURE_COLUMNS, (key, *values), strict=True)))
    return Group(requests, features)


def _copy(session: Session, group: Group) -> None:
    parts = (
        Rows(_REQUESTS, REQUEST_COLUMNS, group.requests),
        Rows(features_table, FEATURE_COLUMNS, group.features),
    )
    copy_all(session.connection(), iter(parts))


def _executemany(session: Session, group: Group) -> None:
    connection = session.connection()
    connection.execute(insert(_REQUESTS), group.requests)
    connection.execute(insert(features_table), group.features)
