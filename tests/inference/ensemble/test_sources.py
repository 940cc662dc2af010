"""What a service knows of its source follows what the job learns, within a refresh."""

from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from detectors.baseline.baseline_text import to_json
from detectors.baseline.phases import Phase, SourceState
from inference.ensemble.baselines import SHIPPED, Baselines, read_baseline
from inference.ensemble.sources import GivenSources, LearntSources
from inference.metrics import Metrics
from store.baselines.baselines import NewBaseline, Origin, add_baseline, list_baselines
from store.baselines.sources import promote
from store.engine.database import Database, StoreUnavailable
from tests.makers import NOW

SOURCE = read_baseline(SHIPPED).segmenter


@pytest.fixture
def sources(database: Database) -> LearntSources:
    return LearntSources(database, Metrics())


def test_a_source_that_nobody_knows_is_learning(sources: LearntSources) -> None:
    sources.refresh()
    assert sources.state_of(SOURCE) == SourceState(Phase.LEARNING)


def test_a_shipped_baseline_is_offered_once_and_not_in_force(
    sources: LearntSources, database: Database
) -> None:
    for _ in range(2):
        sources.offer(SOURCE, Baselines.read(SHIPPED))
    sources.refresh()
    assert sources.state_of(SOURCE).baseline is None
    with database.read() as session:
        assert [row.origin for row in list_baselines(session)] == ["shipped"]


def test_what_is_promoted_judges_after_the_next_refresh(
    sources: LearntSources, database: Database
) -> None:
    sources.refresh()
    text = to_json(read_baseline(SHIPPED))
    with database.write() as session:
        row = add_baseline(session, NewBaseline(SOURCE, Origin.FILE, text), "cli:ada", NOW)
        promote(session, row.id, "cli:ada", NOW)
    assert sources.state_of(SOURCE).phase is Phase.LEARNING
    sources.refresh()
    assert sources.state_of(SOURCE).baseline == read_baseline(SHIPPED)


def test_a_state_that_the_database_was_too_busy_for_is_read_at_the_next_refresh(
    sources: LearntSources, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, calls = database.read, count()

    def read_marks_alone() -> AbstractContextManager[Session]:
        if next(calls):
            raise StoreUnavailable("The database is away.")
        return read()

    with database.write() as session:
        row = add_baseline(
            session, NewBaseline(SOURCE, Origin.FILE, to_json(read_baseline(SHIPPED))), "cli:a", NOW
        )
        promote(session, row.id, "cli:a", NOW)
    with monkeypatch.context() as patch:
        patch.setattr(database, "read", read_marks_alone)
        sources.refresh()
    assert sources.state_of(SOURCE).phase is Phase.LEARNING
    sources.refresh()
    assert sources.state_of(SOURCE).baseline == read_baseline(SHIPPED)


def test_a_baseline_file_that_changes_on_disk_is_said_once(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "own.json"
    file.write_text(SHIPPED.read_text())
    learnt = LearntSources(database, Metrics(), file)
    with capture_logs() as logs:
        learnt.refresh()
        assert not logs
        file.write_text("{}")
        learnt.refresh()
        learnt.refresh()
    assert [log["event"].split(":")[0] for log in logs] == ["the baseline's file changed on disk"]


def test_given_sources_are_in_force_with_what_files_say() -> None:
    given = GivenSources(Baselines.read(SHIPPED))
    assert given.state_of(SOURCE).baseline == read_baseline(SHIPPED)
    assert given.state_of("0" * 64) == SourceState(Phase.IN_FORCE)
