"""Migrations forward and back, and the check at every start."""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.engine.change_marks import Mark, read_marks
from store.engine.database import Database
from store.engine.schema import versions as schema
from store.engine.schema.versions import (
    MigrationFailed,
    SchemaError,
    current_revision,
    downgrade,
    ensure_current,
    upgrade,
)
from store.pages.decision_views import DecisionView, list_active_decisions
from store.people.api_keys import add_key, list_keys
from store.people.key_scopes import KeyScope
from store.requests.record_store import add_record, features_of
from store.requests.records import RequestRecord, Stage
from store.settings import StoreSettings
from store.tables.all_tables import METADATA, make_object_filter
from store.tables.request_tables import RequestRow
from tests.together import run_together

_IMPORTS = """
from store.engine.database import Database
from store.engine.schema.versions import ensure_current
from store.settings import StoreSettings, load_settings
"""
_START = """
database = Database.open(load_settings(StoreSettings))
ensure_current(database)
database.close()
"""
_NEXT = '''
"""A later revision."""

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("job_runs", sa.Column("note", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("job_runs", "note")
'''


def _tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def _head(database: Database) -> str:
    head = current_revision(database)
    assert head is not None
    return head


@pytest.fixture
def later_release(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program as it will be one revision from now."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.migrations_folder(), folder)
    (folder / "versions" / "later.py").write_text(_NEXT.format(head=_head(database)))
    monkeypatch.setattr(schema, "migrations_folder", lambda: folder)


def _differences(database: Database) -> object:
    options = {"compare_type": True, "include_object": make_object_filter(database.dialect)}
    with database.engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)


def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    assert _differences(database) == []


def test_a_database_that_does_not_exist_yet_is_made(tmp_path: Path) -> None:
    database = Database.open(StoreSettings(var_dir=tmp_path / "new" / "folder"))
    assert current_revision(database) is None
    ensure_current(database)
    assert _tables(database) == {*METADATA.tables, "alembic_version"}
    database.close()


def test_a_current_database_is_left_alone(database: Database) -> None:
    before = _head(database)
    ensure_current(database)
    upgrade(database)
    assert _head(database) == before


def test_down_to_nothing_and_up_again_gives_the_same_tables(database: Database) -> None:
    before = _head(database)
    downgrade(database, "base")
    assert _tables(database) == {"alembic_version"}
    assert current_revision(database) is None
    upgrade(database)
    assert _head(database) == before
    assert _differences(database) == []


def test_processes_that_start_together_make_the_tables_once(
    database: Database, store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    downgrade(database, "base")
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", store_settings.store.effective_database_url())
    run_together(_IMPORTS, _START, ["one", "two", "three"])
    ensure_current(database)


def test_an_unknown_revision_stops_the_start_and_the_upgrade(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'moon'"))
    for act in (ensure_current, upgrade):
        with pytest.raises(SchemaError, match="revision moon, which this Maskwatch does not know"):
            act(database)


def _decisions(database: Database, now: datetime) -> tuple[DecisionView, ...]:
    with database.read() as session:
        return list_active_decisions(session, now)


def test_from_the_first_tables_to_these_and_back_nothing_that_both_know_is_lost(
    database: Database, now: datetime
) -> None:
    until = now + timedelta(hours=1)
    block = NewDecision(
        Kind.BLOCK, Scope.CLIENT, "ip:192.0.2.1", "by_hand", "analyst", "It attacks.", "ada", until
    )
    with database.write() as session:
        add_decision(session, replace(block, value="key:acme"), now)
        add_decision(session, replace(block, value="ip:2001:db8::7"), now)
        add_decision(session, block, now)
        add_key(session, "acme", "ada", now)
    before = _decisions(database, now)
    assert [view.scope for view in before] == [Scope.CLIENT, Scope.CLIENT, Scope.API_KEY]

    downgrade(database, "0001")
    assert _tables(database) == {*METADATA.tables, "alembic_version"} - {
        "api_keys",
        "audit",
        "baselines",
        "change_marks",
        "clients",
        "drifts",
        "families",
        "family_members",
        "feedback",
        "fingerprint_keys",
        "fingerprints",
        "frozen_sets",
        "leases",
        "loaded_models",
        "promotions",
        "proposals",
        "request_reasons",
        "reranker_promotions",
        "rerankers",
        "roll_ups",
        "scans",
        "rule_budgets",
        "scenarios",
        "sequences",
        "source_names",
        "sources",
    }
    with database.read() as session:
        rows = session.execute(text("SELECT scope, value, until FROM decisions ORDER BY id DESC"))
        assert [(row.scope, row.value) for row in rows] == [
            ("client", view.value) for view in before
        ]
    with pytest.raises(SchemaError, match=r"revision 0001.*back it up, then run"):
        ensure_current(database)

    upgrade(database)
    ensure_current(database)
    assert _decisions(database, now) == before
    with database.write() as session:
        assert list_keys(session) == ()
        assert read_marks(session) == {mark.value: 0 for mark in Mark}
        add_key(session, "acme", "ada", now)
        add_decision(session, block, now)
    assert len(_decisions(database, now)) == 4


def test_going_back_before_the_ensemble_drops_its_numbers_and_keeps_all_others(
    database: Database, now: datetime
) -> None:
    record = RequestRecord(
        request_id="a" * 36,
        received_at=now,
        client="ip:192.0.2.1",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.PASS,
        status=200,
        features=FeatureVector.of({"skin_share": 0.5, "hidden_area_share": 0.25}),
    )
    with database.write() as session:
        add_record(session, record)
    downgrade(database, "0003")
    columns = {each["name"] for each in inspect(database.engine).get_columns("request_features")}
    assert "hidden_area_share" not in columns
    upgrade(database)
    with database.read() as session:
        features = features_of(session, session.scalars(select(RequestRow.id)).one())
    assert features is not None
    assert features.collect_values() == {"skin_share": 0.5}


@pytest.mark.usefixtures("later_release")
def test_a_database_one_revision_behind_is_not_changed_without_being_asked(
    database: Database,
) -> None:
    before = _head(database)
    with pytest.raises(SchemaError, match=f"revision {before}, this Maskwatch needs later"):
        ensure_current(database)
    assert _head(database) == before
    upgrade(database)
    ensure_current(database)
    assert "note" in {column["name"] for column in inspect(database.engine).get_columns("job_runs")}


def test_a_migration_that_fails_leaves_the_old_tables(
    database: Database, later_release: None
) -> None:
    before = _head(database)
    broken = schema.migrations_folder() / "versions" / "later.py"
    broken.write_text(broken.read_text().replace("def downgrade", "    1 / 0\n\n\ndef downgrade"))
    with pytest.raises(MigrationFailed, match="division by zero") as told:
        upgrade(database)
    assert isinstance(told.value.__cause__, ZeroDivisionError)
    assert _head(database) == before
    columns = {column["name"] for column in inspect(database.engine).get_columns("job_runs")}
    assert "note" not in columns


def test_going_back_before_scopes_revokes_the_keys_that_were_not_for_parsing(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        add_key(session, "usual", "ada", now)
        add_key(session, "both", "ada", now, frozenset(KeyScope))
        add_key(session, "watcher", "ada", now, {KeyScope.OBSERVE})
    downgrade(database, "0018")
    upgrade(database)
    with database.read() as session:
        keys = {key.name: (key.scopes, key.revoked_by) for key in list_keys(session)}
    parse = (KeyScope.PARSE,)
    assert keys == {
        "usual": (parse, None),
        "both": (parse, None),
        "watcher": (parse, "migration 0019"),
    }
