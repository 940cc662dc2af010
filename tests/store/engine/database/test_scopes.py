"""One read scope and one write scope: what is there after a block, and what is not."""

from contextlib import suppress
from datetime import datetime

import pytest

from store.alerts.job_runs import start_run
from store.engine.database import Database
from store.engine.faults import ReadScopeWrites
from tests.store.engine.database.runs import count_runs, write_run


def test_a_write_is_there_after_its_block(database: Database, now: datetime) -> None:
    write_run(database, "scan", now)
    assert count_runs(database) == {"scan": 1}


def test_a_block_that_raises_leaves_nothing_and_lets_the_next_one_in(
    database: Database, now: datetime
) -> None:
    with suppress(LookupError), database.write() as session:
        start_run(session, "scan", now)
        raise LookupError
    assert count_runs(database) == {}
    write_run(database, "scan", now)
    assert count_runs(database) == {"scan": 1}


def test_a_read_block_cannot_write(database: Database, now: datetime) -> None:
    with pytest.raises(ReadScopeWrites), database.read() as session:
        start_run(session, "scan", now)
    assert count_runs(database) == {}
    write_run(database, "scan", now)
    assert count_runs(database) == {"scan": 1}
