"""Whatever acts by itself in a database is compared with what the migrations made."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from store.engine.database import Database
from store.engine.day_partitions import make_days
from store.engine.schema.objects import SchemaChanged, check_file, check_objects, object_faults
from store.engine.schema.versions import current_revision, downgrade, upgrade
from store.engine.start import open_database
from store.keeping import postgresql_backups, sqlite_backups
from store.keeping.backup_files import RestoreRefused, checksum_file
from store.settings import StoreSettings

# One parse would write an allow with it.
_ALLOWS = """
CREATE TRIGGER helpful AFTER INSERT ON requests BEGIN
  INSERT INTO decisions (kind, scope, value) VALUES ('allow', 'client', NEW.client);
END
"""
_FUNCTION = """
CREATE FUNCTION helpful() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$
"""
# SQLite refuses such names and texts in statements, and takes them from a file that holds them.
_HIDDEN = """
PRAGMA writable_schema = ON;
INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (
  'trigger', 'sqlite_stat9', 'requests', 0, 'CREATE TRIGGER sqlite_stat9 AFTER INSERT ON requests
  BEGIN DELETE FROM decisions; END');
PRAGMA schema_version = 10000
"""


def _rewrite(table: str, old: str, new: str) -> str:
    """Statements that change the text that a table was made with."""
    return (
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema "  # noqa: S608 - texts of this file
        f"SET sql = replace(sql, '{old}', '{new}') WHERE name = '{table}'; "
        "PRAGMA schema_version = 10000"
    )


_ON_SQLITE = [
    (_ALLOWS, "the trigger helpful is not Maskwatch's"),
    ("DROP TRIGGER audit_no_update", "the trigger audit_no_update is missing"),
    (
        "DROP TRIGGER audit_no_delete; CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "BEGIN SELECT 'the audit table is append-only'; END",
        "the trigger audit_no_delete was changed",
    ),
    (
        "DROP TRIGGER audit_no_replace; CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "
        "WHEN EXISTS ( SELECT 1 FROM audit WHERE sequence = 'NEW.sequence' OR own_hash = "
        "NEW.own_hash ) BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END",
        "the trigger audit_no_replace was changed",
    ),
    ("CREATE VIEW today AS SELECT * FROM requests", "the view today is not Maskwatch's"),
    ("CREATE TABLE notes (id)", "the table notes is not Maskwatch's"),
    ("ALTER TABLE decisions ADD COLUMN more", "the table decisions was changed"),
    ("DROP INDEX ix_audit_at", "the index ix_audit_at is missing"),
    (_HIDDEN, "the trigger sqlite_stat9 is not Maskwatch's"),
    (
        _rewrite("audit", "KEY (sequence)", "KEY (sequence) ON/**/CONFLICT REPLACE"),
        "the table audit was changed",
    ),
    (
        _rewrite("decisions", "kind VARCHAR(8) NOT NULL", "kind VARCHAR(8) NOT NULL CHECK(1)"),
        "the table decisions was changed",
    ),
    (
        _rewrite("decisions", "value VARCHAR(80)", "value VARCHAR(80) COLLATE NOCASE"),
        "the table decisions was changed",
    ),
    (
        "CREATE UNIQUE INDEX once ON decisions (value)",
        "the unique index once is not Maskwatch's",
    ),
    (
        "CREATE INDEX computed ON decisions (lower(reason))",
        "the computed index computed is not Maskwatch's",
    ),
]
_ON_POSTGRESQL = [
    (
        f"{_FUNCTION}; CREATE TRIGGER helpful AFTER INSERT ON requests FOR EACH ROW "
        "EXECUTE FUNCTION helpful()",
        "the trigger helpful on requests is not Maskwatch's",
    ),
    (
        f"{_FUNCTION}; CREATE TRIGGER helpful AFTER INSERT ON maskwatch_days.requests_20260302 "
        "FOR EACH ROW EXECUTE FUNCTION helpful()",
        "the trigger helpful on requests is not Maskwatch's",
    ),
    (
        "DROP TRIGGER audit_no_change ON audit",
        "the trigger audit_no_change on audit is missing",
    ),
    (
        "ALTER TABLE audit DISABLE TRIGGER audit_no_change",
        "the trigger audit_no_change on audit was changed",
    ),
    (
        "CREATE OR REPLACE FUNCTION maskwatch_audit_is_append_only() RETURNS trigger "
        "LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        r"the function maskwatch_audit_is_append_only\(\) was changed",
    ),
    (
        "CREATE RULE silence AS ON UPDATE TO decisions DO INSTEAD NOTHING",
        "the rule silence on decisions is not Maskwatch's",
    ),
    (
        "ALTER TABLE decisions ENABLE ROW LEVEL SECURITY; "
        "CREATE POLICY hidden ON decisions USING (kind <> 'block')",
        "the policy hidden on decisions is not Maskwatch's",
    ),
    (
        "ALTER TABLE decisions ALTER COLUMN reason SET DEFAULT current_query()",
        "the default of decisions.reason is not Maskwatch's",
    ),
    (
        "CREATE INDEX computed ON decisions (lower(reason))",
        "the computed index computed on decisions is not Maskwatch's",
    ),
    (
        "CREATE UNIQUE INDEX once ON decisions (value)",
        "the unique index once on decisions is not Maskwatch's",
    ),
]


def _change(database: Database, statements: str) -> None:
    if database.file is not None:
        with closing(sqlite3.connect(database.file)) as connection:
            connection.executescript(statements)
        return
    with database.write() as session:
        session.connection().exec_driver_sql(statements)


def test_what_the_migrations_made_is_sound_at_every_revision(database: Database) -> None:
    if database.dialect == "postgresql":
        with database.write() as session:
            make_days(session, date(2026, 3, 1), 3)
    database.close()  # it refreshes SQLite's statistics
    assert object_faults(database) == ()
    downgrade(database, "0012")
    if database.file is not None:
        assert object_faults(database) == ()
    upgrade(database)
    assert object_faults(database) == ()
    downgrade(database, "base")
    upgrade(database)
    assert object_faults(database) == ()


def test_a_database_that_is_not_made_yet_has_no_faults(tmp_path: Path) -> None:
    with closing(Database.open(StoreSettings(var_dir=tmp_path))) as database:
        check_objects(database)
        assert current_revision(database) is None
        check_objects(database)


@pytest.mark.parametrize(("change", "sentence"), _ON_SQLITE)
@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
def test_a_changed_file_is_named_and_not_started_with(
    store_settings: StoreSettings, database: Database, change: str, sentence: str
) -> None:
    _change(database, change)
    with pytest.raises(SchemaChanged, match=sentence) as told:
        open_database(store_settings)
    assert not told.value.retryable
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("change", "sentence"), _ON_POSTGRESQL)
@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_a_changed_database_is_named_and_not_started_with(
    store_settings: StoreSettings, database: Database, change: str, sentence: str
) -> None:
    with database.write() as session:
        make_days(session, date(2026, 3, 2), 1)
    _change(database, change)
    with pytest.raises(SchemaChanged, match=sentence):
        open_database(store_settings)


def test_an_index_of_an_administrator_is_no_fault(database: Database) -> None:
    _change(database, "CREATE INDEX of_mine ON decisions (reason)")
    check_objects(database)


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_what_other_programs_have_beside_the_tables_is_no_fault(database: Database) -> None:
    _change(database, f"{_FUNCTION}; CREATE TABLE notes (id serial); CREATE VIEW v AS SELECT 1")
    check_objects(database)


def _copy(database: Database, tmp_path: Path) -> Path:
    assert database.file is not None
    sqlite_backups.back_up(database.file, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize("revision", ["head", "0012"])
def test_a_file_with_a_foreign_trigger_is_not_restored(
    database: Database, tmp_path: Path, revision: str
) -> None:
    if revision != "head":
        downgrade(database, revision)
    copy = _copy(database, tmp_path)
    check_file(copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.executescript(f"{_ALLOWS}; DROP TRIGGER audit_no_update")
    checksum_file(copy).write_text(f"{sha256(copy.read_bytes()).hexdigest()}  copy\n")
    target = tmp_path / "restored" / "maskwatch.db"
    with pytest.raises(
        RestoreRefused, match=r"trigger helpful is not .*audit_no_update is missing"
    ):
        sqlite_backups.restore(copy, target, force=False)
    assert not target.exists()


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_dump_with_a_foreign_trigger_is_taken_out_again(
    database: Database,
    store_settings: StoreSettings,
    postgres_server: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    is_empty: bool,
) -> None:
    monkeypatch.setenv("PATH", f"{postgres_server.bin_path}{os.pathsep}{os.environ['PATH']}")
    address, dump = store_settings.store.database_address(), tmp_path / "dump"
    _change(database, _ON_POSTGRESQL[0][0])
    postgresql_backups.back_up(database, address, dump)
    _change(database, "DROP TRIGGER helpful ON requests; DROP FUNCTION helpful()")
    if is_empty:
        downgrade(database, "base")
        _change(database, "DROP TABLE alembic_version")
    else:
        _change(database, "INSERT INTO change_marks VALUES ('of_today', 7)")
    with pytest.raises(RestoreRefused, match="trigger helpful on requests is not Maskwatch's"):
        postgresql_backups.restore(database, address, dump, force=True)
    assert object_faults(database) == ()
    assert (current_revision(database) is None) is is_empty
    if not is_empty:
        with database.read() as session:
            kept = session.scalar(text("SELECT version FROM change_marks WHERE name = 'of_today'"))
        assert kept == 7


def test_the_check_reads_and_writes_nothing(database: Database, add: Callable[..., int]) -> None:
    add()
    before = None if database.file is None else database.file.read_bytes()
    check_objects(database)
    assert before == (None if database.file is None else database.file.read_bytes())
