"""``maskwatch decisions import`` of the same list, again and again."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from maskwatch.commands.decisions.decision_imports import import_decisions
from store.audit.audit_log import Action
from store.decisions.access_list import read_access_list
from store.decisions.bans import read_delta
from store.decisions.clients.client_decisions import last_revocation
from store.decisions.decisions import add_decision
from store.decisions.scopes import Kind
from store.engine.change_marks import Mark, read_marks
from store.engine.database import Database
from store.engine.start import open_database
from store.pages.decision_views import list_active_decisions
from store.settings import ReportSettings, StoreSettings
from store.tables.audit_tables import AuditRow
from tests.makers import make_decision

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLIENT = "ip:192.0.2.1"
Import = Callable[[datetime, str], str]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_database(StoreSettings(var_dir=tmp_path / "var"))) as database:
        yield database


@pytest.fixture
def take(tmp_path: Path) -> Import:
    """Imports a list at a time."""

    def taken(now: datetime, text: str) -> str:
        file = tmp_path / "list"
        file.write_text(text)
        settings = ReportSettings(var_dir=tmp_path / "var")
        return import_decisions(settings, file, "Imported.", now, skip_broken=False)

    return taken


def list_ends(database: Database, now: datetime) -> list[datetime]:
    with database.read() as session:
        return [view.until for view in list_active_decisions(session, now)]


@pytest.mark.parametrize("entry", ["24h,ip,192.0.2.1", "24h,ip,key:acme", "24h,range,192.0.2.0/24"])
def test_a_list_that_is_read_a_moment_later_adds_nothing(
    database: Database, take: Import, entry: str
) -> None:
    text = f"duration,scope,value\n{entry}\n"
    assert take(NOW, text) == "Took 1 decision; 0 held already."
    again = take(NOW + timedelta(seconds=9), text)
    assert again == "Took 0 decisions; 1 held already."
    assert list_ends(database, NOW + timedelta(minutes=1)) == [NOW + timedelta(hours=24)]


def test_a_list_that_is_read_every_hour_has_one_decision_that_never_lapses(
    database: Database, take: Import
) -> None:
    hours = [NOW + timedelta(hours=number) for number in range(30)]
    made = [take(hour, "duration,value\n24h,192.0.2.1\n").startswith("Took 1") for hour in hours]
    assert made == [number % 3 == 0 for number in range(30)]
    with database.read() as session:
        assert len(list_active_decisions(session, hours[-1])) == 1
        assert read_access_list(session, hours[-1]).is_blocked(hours[-1], [CLIENT], None)
        # Nobody took anything back: what the client did before still counts.
        assert last_revocation(session, CLIENT) is None
        actions = select(AuditRow.subject).where(AuditRow.action == Action.DECISION_REPLACED.value)
        replaced = session.scalars(actions.order_by(AuditRow.sequence)).all()
    assert replaced == [f"decision {number}" for number in range(1, 10)]


def test_of_two_entries_on_one_address_the_longest_is_taken(
    database: Database, take: Import
) -> None:
    text = json.dumps([{"value": "192.0.2.1", "duration": each} for each in ("4h", "24h", "1h")])
    assert take(NOW, text) == "Took 1 decision; 2 held already."
    assert list_ends(database, NOW) == [NOW + timedelta(hours=24)]


def test_what_people_decided_here_stays_beside_a_longer_entry(
    database: Database, take: Import
) -> None:
    end = NOW + timedelta(hours=1)
    with database.write() as session:
        block = make_decision(kind=Kind.BLOCK, value=CLIENT, until=end, origin="analyst")
        add_decision(session, block, NOW)
    assert take(NOW, "duration,value\n24h,192.0.2.1\n") == "Took 1 decision; 0 held already."
    assert sorted(list_ends(database, NOW)) == [end, NOW + timedelta(hours=24)]


def test_a_copy_of_the_list_follows_a_decision_that_was_replaced(
    database: Database, take: Import
) -> None:
    take(NOW, "duration,value\n4h,192.0.2.1\n")
    with database.read() as session:
        copy = read_access_list(session, NOW)
    later = NOW + timedelta(hours=3)
    take(later, "duration,value\n4h,192.0.2.1\n")
    with database.read() as session:
        copy = read_access_list(session, later, copy)
    assert copy.is_blocked(NOW + timedelta(hours=5), [CLIENT], None)
    assert not copy.is_blocked(NOW + timedelta(hours=8), [CLIENT], None)


def test_bouncers_are_told_of_the_later_end_and_of_no_ban_that_is_over(
    database: Database, take: Import
) -> None:
    take(NOW, "duration,value\n4h,192.0.2.1\n")
    with database.read() as session:
        version = read_marks(session)[Mark.DECISIONS]
    later = NOW + timedelta(hours=3)
    take(later, "duration,value\n4h,192.0.2.1\n")
    with database.read() as session:
        delta = read_delta(session, version, NOW, later + timedelta(seconds=1))
    assert [ban.until for ban in delta.new] == [later + timedelta(hours=4)]
    assert not delta.deleted
