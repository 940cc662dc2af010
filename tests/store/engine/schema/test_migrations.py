"""Every migration, forward and back, with data in every table; and one that is cut off half-way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    func,
    inspect,
    select,
    text,
)

from store.alerts.job_runs import start_run
from store.engine.database import Database, StoreUnavailable
from store.engine.schema.versions import current_revision, downgrade, migrations_folder, upgrade
from store.settings import StoreSettings
from store.tables.work_tables import JobRunRow
from tests.templates import Template, file_template, postgres_template
from tests.waiting import wait_for

REVISIONS = [
    each.revision
    for each in reversed(list(ScriptDirectory(str(migrations_folder())).walk_revisions()))
]
Rows = dict[str, list[Mapping[str, Any]]]

_HALF_WAY = '''
"""A later revision that is cut off before its end."""

import os
import sys
import time

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{head}"


def upgrade() -> None:
    with op.batch_alter_table("job_runs") as batch_op:
        batch_op.add_column(sa.Column("note", sa.Text(), nullable=True))
    op.execute("DELETE FROM job_runs")
    print("half-way", flush=True)
    time.sleep(600)


def downgrade() -> None:
    op.drop_column("job_runs", "note")
'''
_UPGRADE = """
import sys
from pathlib import Path
from store.engine.schema import versions as schema
from store.engine.database import Database
from store.settings import StoreSettings, load_settings
schema.migrations_folder = lambda: Path(sys.argv[1])
schema.upgrade(Database.open(load_settings(StoreSettings)))
"""

_KNOWN_TABLES: dict[tuple[str, str | None], list[Table]] = {}


def _value(column: Any, number: int) -> Any:
    """A value that fits a column's type; another one for each row."""
    kinds: tuple[tuple[type[Any], Any], ...] = (
        (Boolean, number % 2 == 0),
        (JSON, [{"n": number}]),
        (LargeBinary, b"\x00" + bytes([number])),
        (DateTime, datetime(2026, 3, 2, 12, number, tzinfo=UTC)),
        (Integer, number),
        (Float, number + 0.25),
    )
    for kind, value in kinds:
        if isinstance(column.type, kind):
            return value
    return f"{column.name[:3]}{number}"


def _tables(database: Database) -> list[Table]:
    """The tables of its revision, parents first, read once; without Alembic's own."""
    key = database.dialect, current_revision(database)
    if key not in _KNOWN_TABLES:
        metadata = MetaData()
        with database.read() as session:
            metadata.reflect(session.connection())
        tables = metadata.sorted_tables
        _KNOWN_TABLES[key] = [table for table in tables if table.name != "alembic_version"]
    return _KNOWN_TABLES[key]


def _fill(database: Database, tables: Sequence[Table]) -> None:
    """Two rows in every table that is empty; what refers to another table refers to its row."""
    with database.write() as session:
        for table in tables:
            if session.scalar(select(func.count()).select_from(table)):
                continue
            session.execute(
                table.insert(),
                [{c.name: _value(c, number) for c in table.columns} for number in (1, 2)],
            )


def _rows(database: Database, tables: Sequence[Table]) -> Rows:
    """All rows; a request's key, which may change, is replaced by the id of the request."""
    with database.read() as session:
        found = {
            table.name: [dict(row._mapping) for row in session.execute(select(table))]
            for table in tables
        }
    names = {row["id"]: row["request_id"] for row in found.get("requests", ())}
    for table, rows in found.items():
        column = "id" if table == "requests" else "request_pk"
        for row in rows:
            if column in row:
                row[column] = names[row[column]]
        rows.sort(key=repr)
    return {table: list(rows) for table, rows in found.items()}


def _same_where_both_know(before: Rows, after: Rows) -> None:
    """Nothing that both schemas have a place for is lost, added or changed.

    Left out: the marks of changes, to which migrations add.
    """
    for name in (before.keys() & after.keys()) - {"change_marks"}:
        assert len(after[name]) == len(before[name]), name
        for old, new in zip(before[name], after[name], strict=True):
            shared = old.keys() & new.keys()
            assert {key: new[key] for key in shared} == {key: old[key] for key in shared}, name


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def climber(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Template]:
    """A database without rows, which climbs from revision to revision; its copies are filled."""
    folder = tmp_path_factory.mktemp("climber")
    if request.param == "sqlite":
        yield file_template(folder)
        return
    copy_postgres = request.getfixturevalue("copy_postgres")
    with postgres_template(copy_postgres, "template1", folder) as template:
        yield template


@pytest.fixture
def old_database(climber: Template, revision: str, tmp_path: Path) -> Iterator[Database]:
    """A database of a revision, without rows."""
    with closing(Database.open(climber.settings)) as database:
        past = REVISIONS[: REVISIONS.index(revision)]
        move = upgrade if current_revision(database) in {None, *past} else downgrade
        move(database, revision)
    with climber.copied_to(tmp_path) as settings, closing(Database.open(settings)) as opened:
        yield opened


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_every_revision_live_on_in_the_newest(
    old_database: Database, revision: str
) -> None:
    assert current_revision(old_database) == revision
    tables = _tables(old_database)
    _fill(old_database, tables)
    before = _rows(old_database, tables)
    assert all(len(rows) >= 1 for rows in before.values())
    upgrade(old_database)
    assert current_revision(old_database) == REVISIONS[-1]
    _same_where_both_know(before, _rows(old_database, _tables(old_database)))


def test_back_step_by_step_keeps_what_each_step_knows(database: Database) -> None:
    tables = _tables(database)
    _fill(database, tables)
    before = _rows(database, tables)
    for revision in reversed(REVISIONS[:-1]):
        downgrade(database, revision)
        assert current_revision(database) == revision
        after = _rows(database, _tables(database))
        assert after.keys() <= before.keys()
        _same_where_both_know(before, after)
        before = after
    upgrade(database)
    _same_where_both_know(before, _rows(database, _tables(database)))


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """Migrations with one that stops in its middle."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for path in migrations_folder().rglob("*.py*"):
        if "__pycache__" not in path.parts:
            (folder / path.relative_to(migrations_folder())).write_bytes(path.read_bytes())
    (folder / "versions" / "later.py").write_text(_HALF_WAY.format(head=REVISIONS[-1]))
    return folder


@pytest.fixture
def half_way(
    cut_off: Path, store_settings: StoreSettings, database: Database, now: datetime
) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of a migration of a database with a row."""
    with database.write() as session:
        start_run(session, "scan", now)
    environment = os.environ | {
        "MASKWATCH_DATABASE_URL": store_settings.store.effective_database_url()
    }
    arguments = [sys.executable, "-c", _UPGRADE, str(cut_off)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half-way\n"
        yield process
        process.kill()


def test_a_migration_that_is_killed_leaves_the_old_tables_and_rows(
    half_way: subprocess.Popen[str],
    database: Database,
    now: datetime,
) -> None:
    half_way.send_signal(signal.SIGKILL)
    half_way.wait(timeout=60)

    def writes_again() -> bool:
        # PostgreSQL needs a moment to notice that the client is gone.
        try:
            with database.write() as session:
                start_run(session, "decide", now)
        except StoreUnavailable:
            return False
        return True

    wait_for(writes_again)
    assert current_revision(database) == REVISIONS[-1]
    assert "note" not in {each["name"] for each in inspect(database.engine).get_columns("job_runs")}
    with database.read() as session:
        assert set(session.scalars(select(JobRunRow.job))) == {"scan", "decide"}
        if database.dialect == "sqlite":
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
