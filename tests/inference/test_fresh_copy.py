"""Copies of a database follow its change marks, which are read once for all of them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from inference.fresh_copy import FreshCopies, FreshCopy
from inference.metrics import Metrics
from store.engine.change_marks import Mark, move_mark
from store.engine.database import Database
from tests.waiting import wait_for


class _Versions(FreshCopy):
    """Remembers each version of a mark that it was told of."""

    def __init__(self, part: str, database: Database, metrics: Metrics) -> None:
        super().__init__(part, part, database, metrics)
        self.versions: list[int] = []
        self.is_broken = False

    def _read_if_changed(self, marks: Mapping[str, int]) -> None:
        if self.is_broken:
            raise ValueError("It makes no sense.")
        self.versions.append(marks[Mark.DECISIONS])


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def pair(database: Database, metrics: Metrics) -> tuple[_Versions, _Versions]:
    return _Versions("one", database, metrics), _Versions("other", database, metrics)


@pytest.fixture
def copies(database: Database, pair: tuple[_Versions, _Versions]) -> Iterator[FreshCopies]:
    built = FreshCopies(database, *pair)
    yield built
    built.close()


def _move(database: Database) -> int:
    with database.write() as session:
        return move_mark(session, Mark.DECISIONS)


def _faults(metrics: Metrics, part: str) -> float:
    value = metrics.registry.get_sample_value("maskwatch_faults_total", {"part": part})
    return value or 0.0


def test_marks_are_read_once_for_all_copies(
    copies: FreshCopies,
    pair: tuple[_Versions, _Versions],
    database: Database,
    elsewhere: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version, read = _move(elsewhere), database.read
    reads: list[AbstractContextManager[Session]] = []

    def count_and_read() -> AbstractContextManager[Session]:
        reads.append(read())
        return reads[-1]

    monkeypatch.setattr(database, "read", count_and_read)
    copies.refresh()
    assert [each.versions for each in pair] == [[version], [version]]
    assert len(reads) == 1


def test_a_copy_that_fails_keeps_no_other_from_what_changed(
    copies: FreshCopies, pair: tuple[_Versions, _Versions], metrics: Metrics
) -> None:
    one, other = pair
    one.is_broken = True
    copies.refresh()
    assert (one.versions, len(other.versions)) == ([], 1)
    assert (_faults(metrics, "one"), _faults(metrics, "other")) == (1, 0)


def test_marks_that_cannot_be_read_are_a_fault_of_every_copy(
    copies: FreshCopies,
    pair: tuple[_Versions, _Versions],
    elsewhere: Database,
    metrics: Metrics,
) -> None:
    with elsewhere.write() as session:
        session.execute(text("ALTER TABLE change_marks RENAME TO change_marks_away"))
    copies.refresh()
    assert [each.versions for each in pair] == [[], []]
    assert [_faults(metrics, part) for part in ("one", "other")] == [1, 1]


def test_the_thread_looks_by_itself_until_it_is_closed(
    copies: FreshCopies, pair: tuple[_Versions, _Versions], elsewhere: Database
) -> None:
    copies.start(0.05)
    version = _move(elsewhere)
    wait_for(lambda: all(version in each.versions for each in pair))
    copies.close()
    assert "copies" not in {thread.name for thread in threading.enumerate()}
    later = _move(elsewhere)
    assert not any(later in each.versions for each in pair)


def test_the_thread_outlives_a_copy_that_fails(
    copies: FreshCopies,
    pair: tuple[_Versions, _Versions],
    metrics: Metrics,
) -> None:
    one, _ = pair
    one.is_broken = True
    copies.start(0.05)
    wait_for(lambda: _faults(metrics, "one") > 1)
    one.is_broken = False
    wait_for(lambda: bool(one.versions))
