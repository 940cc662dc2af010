"""The roles of deploy/postgres/roles.sql on a real PostgreSQL: what each may do, and what not."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text

from jobs.backtest.run import Wish
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from store.engine.day_partitions import drop_day, list_days, make_days
from store.engine.faults import StoreForbidden
from store.engine.schema.versions import downgrade, upgrade
from store.people.api_keys import add_key, list_keys
from store.requests.record_store import add_record
from store.settings import StoreSettings
from tests.jobs.backtest.past import START, go_through, make_settings
from tests.makers import make_record

pytestmark = pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)

_SCRIPT = Path(__file__).parents[3] / "deploy" / "postgres" / "roles.sql"
As = Callable[[str], Database]


def _apply(settings: StoreSettings) -> None:
    address = settings.store.effective_database_url().replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_SCRIPT.read_bytes())


@pytest.fixture
def as_role(store_settings: StoreSettings) -> Iterator[As]:
    """The database as one of the roles sees it; the script ran twice."""
    _apply(store_settings)
    _apply(store_settings)
    opened = []

    def connected(role: str) -> Database:
        url = make_url(store_settings.store.effective_database_url()).set(
            username=f"maskwatch_{role}"
        )
        changed = {"database_url": SecretStr(url.render_as_string(hide_password=False))}
        opened.append(Database.open(store_settings.model_copy(update=changed)))
        return opened[-1]

    yield connected
    for database in opened:
        database.close()


def _refused(database: Database, *statements: str) -> None:
    for statement in statements:
        with pytest.raises(StoreForbidden, match=r"roles.sql"), database.write() as session:
            session.execute(text(statement))


def test_the_writer_records_and_decides_and_changes_no_table(as_role: As, now: datetime) -> None:
    block = NewDecision(
        Kind.BLOCK,
        Scope.CLIENT,
        "ip:192.0.2.1",
        "by_hand",
        "analyst",
        "It attacks.",
        "ada",
        now + timedelta(hours=1),
    )
    writer = as_role("writer")
    with writer.write() as session:
        assert add_record(session, make_record())
        add_decision(session, block, now)
        add_key(session, "acme", "ada", now)
        session.execute(text("UPDATE requests SET status = 201"))
        session.execute(text("DELETE FROM requests"))
    _refused(
        writer,
        "DROP TABLE requests",
        "TRUNCATE requests",
        "ALTER TABLE requests ADD COLUMN more integer",
        "CREATE TABLE mine (id integer)",
        "DELETE FROM decisions",
        "DELETE FROM api_keys",
        "UPDATE loaded_models SET host = 'x'",
        "UPDATE alembic_version SET version_num = '0001'",
    )


def test_the_audit_table_may_only_be_added_to_once_there_is_one(
    as_role: As, store_settings: StoreSettings
) -> None:
    with as_role("migrator").write() as session:
        session.execute(text("DROP TABLE IF EXISTS audit"))
        session.execute(text("CREATE TABLE audit (line text)"))
    writer = as_role("writer")
    changes = ("UPDATE audit SET line = 'b'", "DELETE FROM audit")
    for _ in range(2):
        with writer.write() as session:
            session.execute(text("INSERT INTO audit VALUES ('a')"))
        _refused(writer, *changes)
        _apply(store_settings)


def test_the_reader_reads_and_neither_writes_nor_sees_hashes(as_role: As, now: datetime) -> None:
    with as_role("writer").write() as session:
        add_record(session, make_record())
        add_key(session, "acme", "ada", now)
    reader = as_role("reader")
    with reader.read() as session:
        assert session.scalar(text("SELECT count(*) FROM requests")) == 1
        assert session.scalar(text("SELECT name FROM api_keys")) == "acme"
    _refused(
        reader,
        "UPDATE requests SET status = 201",
        "DELETE FROM requests",
        "INSERT INTO change_marks VALUES ('x', 1)",
        "SELECT key_sha256 FROM api_keys",
        "SELECT * FROM login_tokens",
        "CREATE TABLE mine (id integer)",
    )


def test_the_migrator_goes_back_and_forth_and_the_script_opens_the_new_tables(
    as_role: As, store_settings: StoreSettings, now: datetime
) -> None:
    migrator = as_role("migrator")
    downgrade(migrator, "0001")
    upgrade(migrator)
    _apply(store_settings)
    with as_role("writer").write() as session:
        add_key(session, "acme", "ada", now)
        assert len(list_keys(session)) == 1


def test_the_writer_makes_and_drops_days_and_the_reader_does_not(
    as_role: As, now: datetime
) -> None:
    writer = as_role("writer")
    with writer.write() as session:
        assert make_days(session, now.date(), 2) == 2
        assert add_record(session, make_record())
    with writer.write() as session:
        assert drop_day(session, now.date()) == 1
        assert len(list_days(session)) == 1
    _refused(as_role("reader"), "SELECT maskwatch_drop_day(DATE '2026-03-03')")
    _refused(writer, "DROP TABLE maskwatch_days.requests_20260303")


def test_the_reader_goes_through_a_back_test(as_role: As, tmp_path: Path) -> None:
    with as_role("writer").write() as session:
        assert add_record(session, make_record(received_at=START))
    wish = Wish(rules=("probing_sequence=5",))
    result = go_through(as_role("reader"), make_settings(tmp_path), wish)
    assert result.facts.requests == 1
