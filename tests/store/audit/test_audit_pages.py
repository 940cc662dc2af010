"""Pages of entries, and what they are filtered by."""

from datetime import datetime, timedelta

from store.decisions.decisions import add_decision
from store.engine.database import Database
from store.pages.audit_views import AuditFilter, audit_page
from store.settings import StoreSettings
from tests.makers import make_decision
from tests.store.audit.test_told import HOUR
from tests.store.audit.trails import fill, read_entries


def test_pages_go_there_and_back(database: Database, now: datetime) -> None:
    fill(database, 7, now)

    def page(**side: int) -> tuple[list[int], bool, bool]:
        with database.read() as session:
            found = audit_page(session, AuditFilter(), 3, **side)
        return [entry.sequence for entry in found.entries], found.newer, found.older

    assert page() == ([7, 6, 5], False, True)
    assert page(before=5) == ([4, 3, 2], True, True)
    assert page(before=2) == ([1], True, False)
    assert page(after=1) == ([4, 3, 2], True, True)
    assert page(after=4) == ([7, 6, 5], False, True)


def test_entries_are_found_by_actor_action_and_time(
    database: Database, now: datetime, store_settings: StoreSettings
) -> None:
    fill(database, 2, now)
    with database.write() as session:
        add_decision(session, make_decision(), now + HOUR / 2)
    for wanted, subjects in (
        ({"actor": "analyst:"}, ["key 1", "key 2"]),
        ({"actor": "analyst:a%"}, []),
        ({"actor": "\0"}, ["key 1", "key 2", "decision 1"]),
        ({"action": "decision_made"}, ["decision 1"]),
        ({"since": now + timedelta(seconds=2)}, ["key 2", "decision 1"]),
        ({"since": now + HOUR}, []),
    ):
        assert [entry.subject for entry in read_entries(database, **wanted)] == subjects, wanted
