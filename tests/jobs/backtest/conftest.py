"""A past to go through again: a search that was blocked, and ordinary requests."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from tests.jobs.backtest.past import Arrival, let_pass, make_settings
from tests.jobs.backtest.results import HONEST, SEARCH
from tests.makers import NOW
from tests.templates import (
    MIGRATED,
    CopyPostgres,
    Template,
    file_template,
    postgres_template,
)


@pytest.fixture
def settings_of_past(tmp_path: Path) -> JobSettings:
    return make_settings(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def attack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobContext]:
    """A search that was blocked, and ordinary requests."""
    template: Template = request.getfixturevalue(f"attacked_{request.param}")
    with template.copied_to(tmp_path) as copied:
        settings = make_settings(tmp_path, database_url=copied.store.database_url)
        with closing(Database.open(settings)) as database:
            yield JobContext(database, settings, NOW)


@pytest.fixture(scope="session")
def attacked_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copy(sqlite_template, folder)
    template = file_template(folder)
    _attack(template)
    return template


@pytest.fixture(scope="session")
def attacked_postgresql(
    copy_postgres: CopyPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Template]:
    folder = tmp_path_factory.mktemp("attacked")
    with postgres_template(copy_postgres, MIGRATED, folder) as template:
        _attack(template)
        yield template


def _attack(template: Template) -> None:
    ordinary = [Arrival(62 + 60 * number, HONEST) for number in range(100)]
    store = template.settings.store
    settings = make_settings(store.var_dir, database_url=store.database_url)
    with closing(Database.open(settings)) as database:
        let_pass(JobContext(database, settings, NOW), [*SEARCH, *ordinary], NOW)
