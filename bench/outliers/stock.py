"""A SQLite database with as many made-up records as asked for, written past the recorder."""

from datetime import UTC, datetime
from typing import cast

import numpy as np
from sqlalchemy import Table, update

from detectors.outliers.preparation import Matrix
from detectors.registry import FEATURE_NAMES
from store.engine.bulk.insert import insert_all
from store.engine.bulk.rows import Row, Rows, Vectors
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.requests.record_rows import FEATURE_COLUMNS, REQUEST_COLUMNS
from store.requests.request_keys import key_of
from store.tables.request_tables import RequestRow, features_table
from store.tables.roll_up_tables import SequenceRow

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GROUP = 20_000
_REQUESTS = cast(Table, RequestRow.__table__)
_CLIENTS = 2_000


def made_up_rows(seed: int, count: int) -> Matrix:
    """Made-up features, all of them measured."""
    return np.random.default_rng(seed).normal(10, 2, (count, len(FEATURE_NAMES)))


def fill_store(database: Database, records: int) -> None:
    """Make the tables, and store so many parsed records that passed."""
    upgrade(database)
    first_key = key_of(NOW)
    for number, first in enumerate(range(0, records, GROUP)):
        rows = made_up_rows(number + 1, min(GROUP, records - first))
        keys = range(first_key + first, first_key + first + len(rows))
        vectors = list(zip(keys, rows.tolist(), strict=True))
        requests = [_request_row(key) for key in keys]
        with database.write() as session:
            insert_all(
                session,
                [
                    Vectors(features_table, FEATURE_COLUMNS, vectors),
                    Rows(_REQUESTS, REQUEST_COLUMNS, requests),
                ],
            )
            session.execute(update(SequenceRow).values(last=keys[-1]))


def _request_row(key: int) -> Row:
    digits = f"{key:032x}"
    request_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    client = f"ip:198.18.{key % _CLIENTS // 250}.{key % 250}"
    return (
        *(key, request_id, "2026-03-02 12:00:00.000000", client, "api", "parsed", "pass", 200),
        *("[]", digits * 2, "image/jpeg", 2 * digits, '["background", "hair", "face"]', None),
    )
