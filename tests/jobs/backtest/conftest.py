"""A past to go through again: a search that was blocked, and ordinary requests."""

from pathlib import Path

import pytest

from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from tests.jobs.backtest.past import Arrival, let_pass, make_settings
from tests.jobs.backtest.results import HONEST, SEARCH
from tests.makers import NOW


@pytest.fixture
def settings_of_past(tmp_path: Path) -> JobSettings:
    return make_settings(tmp_path)


@pytest.fixture
def attack(database: Database, settings_of_past: JobSettings) -> JobContext:
    """A search that was blocked, and ordinary requests."""
    ordinary = [Arrival(62 + 60 * number, HONEST) for number in range(100)]
    context = JobContext(database, settings_of_past, NOW)
    let_pass(context, [*SEARCH, *ordinary], NOW)
    return context
