"""How long a read or a write may take, and that no limit outlasts its transaction."""

from math import inf

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from store.engine.database import Database, ReadTimedOut
from store.settings import StoreSettings
from store.tables.work_tables import JobRunRow
from tests.store.engine.database.runs import count_runs

# More steps than any test waits for.
_ENDLESS = """
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000)
SELECT count(*) FROM n
"""
_SOME_STEPS = _ENDLESS.replace("1000000000", "300000")


def test_a_read_that_takes_too_long_ends_with_advice_and_the_next_one_works(
    database: Database,
) -> None:
    with (
        pytest.raises(ReadTimedOut, match="narrow the time window") as caught,
        database.read(seconds=0.05) as session,
    ):
        session.execute(text(_ENDLESS))
    assert caught.value.retryable
    assert count_runs(database) == {}


def test_the_time_of_a_read_counts_for_each_statement(database: Database) -> None:
    # The short statement in between may take seconds of PostgreSQL's; of SQLite's it has no steps.
    seconds, times = (0.1, 3) if database.dialect == "sqlite" else (4.0, 1)
    with database.read(seconds) as session:
        for _ in range(times):
            with pytest.raises(DBAPIError), session.begin_nested():
                session.execute(text(_ENDLESS))
            assert session.scalar(select(func.count()).select_from(JobRunRow)) == 0


def test_a_read_without_limit_follows_one_with_a_limit(database: Database) -> None:
    with pytest.raises(ReadTimedOut), database.read(seconds=0.05) as session:
        session.execute(text(_ENDLESS))
    with database.read(seconds=inf) as session:
        assert session.scalar(text(_SOME_STEPS)) == 300_000


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_a_transaction_has_its_limits_and_leaves_none_behind(
    store_settings: StoreSettings,
) -> None:
    names = ("statement_timeout", "lock_timeout", "transaction_read_only")
    changes = {"database_wait_seconds": 3, "read_timeout_seconds": 0.25}
    database = Database.open(store_settings.model_copy(update=changes))

    def seen(session: Session) -> list[object]:
        return [session.scalar(text(f"SHOW {name}")) for name in names]

    with database.read() as session:
        assert seen(session) == ["250ms", "3s", "on"]
        assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"
    with database.write() as session:
        assert seen(session) == ["3s", "3s", "off"]
    with database.write(inf) as session:
        assert seen(session) == ["0", "3s", "off"]
    with database.engine.connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "0"
    database.close()
