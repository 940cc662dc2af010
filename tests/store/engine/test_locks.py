from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

from sqlalchemy import func, select

from store.alerts.job_runs import start_run
from store.engine.database import Database
from store.engine.locks import take_turn
from store.tables.work_tables import JobRunRow


def test_what_takes_turns_never_reads_the_same_before(database: Database, now: datetime) -> None:
    def count_and_write(_number: int) -> int:
        with database.write() as session:
            take_turn(session, "counting")
            before = session.scalar(select(func.count()).select_from(JobRunRow))
            start_run(session, "scan", now)
        return before or 0

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(count_and_write, range(20)))
    assert sorted(seen) == list(range(20))


def test_a_turn_is_given_back_when_its_block_raises(database: Database, now: datetime) -> None:
    for _ in range(2):
        with suppress(LookupError), database.write() as session:
            take_turn(session, "counting")
            raise LookupError
    with database.write() as session:
        take_turn(session, "counting")
        start_run(session, "scan", now)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(JobRunRow)) == 1
