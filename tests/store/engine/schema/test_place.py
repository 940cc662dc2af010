"""A second instance in one PostgreSQL database, and migrations that meet what is not theirs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from store.engine.database import Database, StoreUnavailable
from store.engine.faults import TablesChanged
from store.engine.schema.versions import (
    MigrationFailed,
    SchemaError,
    current_revision,
    downgrade,
    ensure_current,
    upgrade,
)
from store.settings import StoreSettings
from store.tables.work_tables import DecisionRow


def _on(settings: StoreSettings, search_path: str) -> StoreSettings:
    address = settings.store.database_address()
    address = address.update_query_dict({"options": f"-c search_path={search_path}"})
    url = SecretStr(address.render_as_string(hide_password=False))
    return settings.model_copy(update={"database_url": url})


@pytest.fixture
def second(postgres_settings: StoreSettings) -> StoreSettings:
    """Settings of an instance in a schema of its own, in the first one's database."""
    first = Database.open(postgres_settings)
    with first.write() as session:
        session.execute(text("CREATE SCHEMA two"))
    first.close()
    return _on(postgres_settings, "two")


@pytest.mark.parametrize("search_path", ["two", "two,public"])
def test_a_second_instance_is_refused_with_one_sentence(
    second: StoreSettings, search_path: str
) -> None:
    database = Database.open(_on(second, search_path))
    for step in (upgrade, ensure_current, current_revision):
        with pytest.raises(SchemaError, match=r"in its schema public, .* a database of its own"):
            step(database)
    with database.read() as session:
        made = session.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'two'"))
    assert made == 0
    database.close()


def test_the_command_line_says_the_sentence(second: StoreSettings, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "maskwatch", "db", "upgrade"],
        env=os.environ
        | {
            "MASKWATCH_DATABASE_URL": second.store.effective_database_url(),
            "MASKWATCH_VAR_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "give each instance a database of its own" in done.stderr
    assert "unexpected" not in done.stderr


def test_the_only_instance_may_be_in_any_schema(second: StoreSettings) -> None:
    first = Database.open(_on(second, "public"))
    downgrade(first, "base")
    with first.write() as session:
        session.execute(text("DROP TABLE alembic_version"))
    first.close()
    database = Database.open(second)
    ensure_current(database)
    assert current_revision(database) is not None
    database.close()


def test_a_schema_that_does_not_exist_is_said(postgres_settings: StoreSettings) -> None:
    database = Database.open(_on(postgres_settings, "nowhere"))
    with pytest.raises(SchemaError, match="names no schema that exists"):
        upgrade(database)
    database.close()


@pytest.mark.parametrize("name", ["tenant-1", "My Schema", "Tenant", "user"])
def test_a_schema_whose_name_needs_quotes_is_refused_with_one_sentence(
    postgres_settings: StoreSettings, name: str
) -> None:
    database = Database.open(postgres_settings)
    home = postgres_settings.store.database_address().database
    with database.write() as session:
        session.execute(text(f'CREATE SCHEMA "{name}"'))
        session.execute(text(f'ALTER DATABASE "{home}" SET search_path = "{name}"'))
    database.close()
    database = Database.open(postgres_settings)
    for step in (upgrade, ensure_current, current_revision):
        with pytest.raises(SchemaError, match="whose name needs quotes"):
            step(database)
    database.close()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (["INSERT INTO alembic_version VALUES ('0001')"], "more than one head"),
        (
            ["DROP TABLE alembic_version", "CREATE TABLE alembic_version (id integer)"],
            "version_num",
        ),
    ],
)
def test_a_table_of_revisions_that_says_none_is_one_sentence(
    store_settings: StoreSettings, changes: list[str], why: str
) -> None:
    database = Database.open(store_settings)
    with database.write() as session:
        for change in changes:
            session.execute(text(change))
    for step in (upgrade, ensure_current, current_revision):
        with pytest.raises(SchemaError, match=f"does not say which revision .*{why}") as told:
            step(database)
        assert "\n" not in str(told.value)
    database.close()


def test_a_table_that_lacks_a_column_is_named_by_every_reader(
    store_settings: StoreSettings,
) -> None:
    database = Database.open(store_settings)
    with database.write() as session:
        session.execute(text("ALTER TABLE decisions DROP COLUMN reason"))
    refusal = pytest.raises(TablesChanged, match="`maskwatch db check` says what was changed")
    with refusal as told, database.read() as session:
        session.scalars(select(DecisionRow)).all()
    assert not told.value.retryable
    database.close()


def test_a_migration_that_meets_a_foreign_table_says_what_to_do_and_changes_nothing(
    store_settings: StoreSettings,
) -> None:
    database = Database.open(store_settings)
    downgrade(database, "0010")
    with database.write() as session:
        session.execute(text("CREATE TABLE audit (of_another_program integer)"))
    for _ in range(2):
        with pytest.raises(MigrationFailed, match=r"audit.* already exists.* as they were") as told:
            upgrade(database)
        assert not told.value.retryable
        assert "\n" not in str(told.value)
        assert current_revision(database) == "0010"
    with database.write() as session:
        session.execute(text("DROP TABLE audit"))
    upgrade(database)
    database.close()


def test_a_database_that_is_away_is_no_fault_of_a_migration(tmp_path: Path) -> None:
    url = SecretStr("postgresql+psycopg://robot@127.0.0.1:1/maskwatch?connect_timeout=2")
    database = Database.open(StoreSettings(var_dir=tmp_path, database_url=url))
    with pytest.raises(StoreUnavailable) as told:
        upgrade(database)
    assert told.value.retryable
    database.close()
