"""Access: changes of other processes arrive, and the last known list outlives the database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from inference.admission.access import Access
from inference.admission.places import Blacklist
from inference.metrics import Metrics
from inference.refusals import BLOCKED
from inference.upload import Arrival, Upload
from store.decisions.access_list import ActiveKey
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.engine.change_marks import Mark, move_mark
from store.engine.database import Database, StoreUnavailable
from store.people.api_keys import add_key, revoke_key
from store.people.key_scopes import KeyScope

ADDRESS, KEY = "ip:203.0.113.7", "key:acme"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def access(database: Database, metrics: Metrics) -> Access:
    return Access(database, metrics)


def _decide(
    database: Database,
    value: str = ADDRESS,
    kind: Kind = Kind.BLOCK,
    scope: Scope = Scope.CLIENT,
    **lasts: float,
) -> int:
    now = datetime.now(UTC)
    until = now + timedelta(**(lasts or {"hours": 1}))
    new = NewDecision(kind, scope, value, "by_hand", "analyst", "A test.", "ada", until)
    with database.write() as session:
        return add_decision(session, new, now).id


def _is_blocked(access: Access, client: str = ADDRESS) -> bool:
    return access.current.is_blocked(datetime.now(UTC), [client])


def _faults(metrics: Metrics) -> float:
    value = metrics.registry.get_sample_value("maskwatch_faults_total", {"part": "access"})
    return value or 0.0


def _take_tables_away(database: Database) -> None:
    with database.write() as session:
        session.execute(text("ALTER TABLE change_marks RENAME TO change_marks_away"))


def _bring_tables_back(database: Database) -> None:
    with database.write() as session:
        session.execute(text("ALTER TABLE change_marks_away RENAME TO change_marks"))


def test_a_refresh_brings_what_another_process_decided(access: Access, elsewhere: Database) -> None:
    block = _decide(elsewhere)
    assert not _is_blocked(access)
    access.refresh()
    assert _is_blocked(access)
    with elsewhere.write() as session:
        revoke(session, block, "ada", "A mistake.", datetime.now(UTC))
    assert _is_blocked(access)
    access.refresh()
    assert not _is_blocked(access)


def test_a_refresh_brings_new_keys_and_takes_revoked_ones(
    access: Access, elsewhere: Database, now: datetime
) -> None:
    with elsewhere.write() as session:
        secret = add_key(session, "acme", "ada", now)
    assert access.current.find_key(secret) is None
    access.refresh()
    assert access.current.find_key(secret) == ActiveKey(KEY, frozenset({KeyScope.PARSE}))
    with elsewhere.write() as session:
        revoke_key(session, "acme", "ada", now)
    access.refresh()
    assert access.current.find_key(secret) is None


def test_nothing_is_read_again_without_a_change(access: Access, elsewhere: Database) -> None:
    before = access.current
    access.refresh()
    assert access.current is before
    _decide(elsewhere)
    access.refresh()
    assert access.current is not before


def test_a_restored_database_with_lower_marks_is_read_again(
    access: Access, elsewhere: Database
) -> None:
    _decide(elsewhere)
    access.refresh()
    assert _is_blocked(access)
    with elsewhere.write() as session:
        session.execute(text("DELETE FROM decisions"))
        session.execute(text("UPDATE change_marks SET version = 0"))
    access.refresh()
    assert not _is_blocked(access)


def test_while_the_database_is_away_the_last_list_holds_and_it_is_counted(
    access: Access, elsewhere: Database, metrics: Metrics
) -> None:
    _decide(elsewhere)
    access.refresh()
    _take_tables_away(elsewhere)
    with capture_logs() as said:
        for number in range(1, 4):
            access.refresh()
            assert _is_blocked(access)
            assert not _is_blocked(access, KEY)
            assert _faults(metrics) == number
        _bring_tables_back(elsewhere)
        _decide(elsewhere, KEY)
        for _ in range(2):
            access.refresh()
    assert _is_blocked(access, KEY)
    assert _faults(metrics) == 3
    assert [line["event"] for line in said] == [
        "access list not refreshed",
        "access list refreshed again",
    ]
    assert said[0]["exc_info"] is None


def test_a_list_that_makes_no_sense_leaves_the_one_before(
    access: Access, elsewhere: Database, metrics: Metrics
) -> None:
    block = _decide(elsewhere)
    access.refresh()
    with elsewhere.write() as session:
        move_mark(session, Mark.DECISIONS)
        session.execute(text("UPDATE decisions SET kind = 'moon'"))
    for _ in range(2):
        access.refresh()
    assert _is_blocked(access)
    assert _faults(metrics) == 2
    with elsewhere.write() as session:
        move_mark(session, Mark.DECISIONS)
        session.execute(text("UPDATE decisions SET kind = 'block'"))
        revoke(session, block, "ada", "A mistake.", datetime.now(UTC))
    access.refresh()
    assert not _is_blocked(access)


def test_without_a_database_there_is_no_access_at_all(
    database: Database, elsewhere: Database, metrics: Metrics
) -> None:
    _take_tables_away(elsewhere)
    with pytest.raises(StoreUnavailable):
        Access(database, metrics)


def test_the_end_of_a_block_is_measured_by_the_time_of_the_request(
    access: Access, elsewhere: Database
) -> None:
    _decide(elsewhere, hours=1)
    access.refresh()
    _take_tables_away(elsewhere)
    blacklist, start = Blacklist(access), datetime.now(UTC)
    answers = [
        blacklist.check(Arrival("id", start + timedelta(minutes=after), ADDRESS, "api"), None)
        for after in (0, 59, 61)
    ]
    assert answers == [BLOCKED, BLOCKED, None]


def test_a_request_is_known_by_its_key_its_address_and_its_picture(
    access: Access, elsewhere: Database
) -> None:
    upload, now = Upload(b"a picture"), datetime.now(UTC)
    with_key = Arrival("id", now, KEY, "api", ADDRESS)
    without = Arrival("id", now, "ip:192.0.2.99", "api", "ip:192.0.2.99")
    blacklist = Blacklist(access)
    assert blacklist.check(with_key, upload) is None
    _decide(elsewhere, ADDRESS)
    access.refresh()
    assert blacklist.check(with_key, None) is BLOCKED
    assert blacklist.check(without, upload) is None
    _decide(elsewhere, upload.sha256, scope=Scope.CONTENT)
    access.refresh()
    assert blacklist.check(without, None) is None
    assert blacklist.check(without, upload) is BLOCKED
    _decide(elsewhere, KEY, Kind.ALLOW)
    access.refresh()
    assert blacklist.check(with_key, upload) is None
    assert blacklist.check(without, upload) is BLOCKED
