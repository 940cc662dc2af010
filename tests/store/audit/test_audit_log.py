"""The audit table on real databases: what is written, what is refused, what tampering shows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store.alerts.alerts import (
    Condition,
    acknowledge,
    apply_condition,
)
from store.alerts.outbox import address_notifications, claim_notification, mark_sent
from store.audit.actors import analyst, job
from store.audit.audit_log import Action, Entry, append
from store.audit.hash_chain import GENESIS, ChainCheck
from store.decisions.decisions import Kind, add_decision, revoke
from store.engine.database import Database
from store.models.loaded_models import NewLoad, add_loaded_model
from store.models.outlier_models import OutlierModelStore, promote
from store.pages.audit_views import (
    AuditFilter,
    AuditView,
    audit_entries,
    audit_page,
    verify,
)
from store.people.api_keys import KeyNotActive, add_key, revoke_key
from store.people.sign_in import end_session, issue_token, redeem_token
from store.settings import StoreSettings
from tests.makers import make_decision

HOUR = timedelta(hours=1)
_NO_TRIGGERS = {
    "sqlite": [f"DROP TRIGGER audit_no_{what}" for what in ("update", "delete", "replace")],
    "postgresql": [f"DROP TRIGGER audit_no_{what} ON audit" for what in ("change", "truncate")],
}


def _entries(database: Database, **wanted: object) -> list[AuditView]:
    return list(audit_entries(database, AuditFilter(**wanted)))  # type: ignore[arg-type]


def _told(database: Database) -> list[tuple[str, str, str]]:
    return [(each.actor, each.action, each.subject) for each in _entries(database)]


def _sentences(database: Database) -> list[str]:
    return [fault.sentence for fault in verify(database, ChainCheck())]


def _fill(database: Database, rows: int, now: datetime) -> None:
    for number in range(1, rows + 1):
        entry = Entry(analyst("ada"), Action.KEY_MADE, f"key {number}", {"number": number})
        with database.write() as session:
            append(session, entry, now + timedelta(seconds=number))


def _tamper(database: Database, *statements: str) -> None:
    """Somebody with the database's own rights takes the triggers away first."""
    with database.write() as session:
        for statement in (*_NO_TRIGGERS[database.dialect], *statements):
            session.execute(text(statement))


_SHARE = Condition(
    "invalid_share", "invalid_share", "warning", True, 0.1, 0.05, "Too many.", "", ""
)


def test_decisions_are_told_of_with_who_made_and_ended_them(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        first = add_decision(session, make_decision(), now).id
    with database.write() as session:
        revoke(session, first, "ada", " A mistake. ", now)
        second = add_decision(session, make_decision(), now).id
    allow = make_decision(kind=Kind.ALLOW, origin="analyst", created_by="bob", reason="Ours.")
    with database.write() as session:
        third = add_decision(session, allow, now).id
    assert _told(database) == [
        ("job:decide", "decision_made", f"decision {first}"),
        ("analyst:ada", "decision_revoked", f"decision {first}"),
        ("job:decide", "decision_made", f"decision {second}"),
        ("analyst:bob", "decision_revoked", f"decision {second}"),
        ("analyst:bob", "decision_made", f"decision {third}"),
    ]
    entries = _entries(database)
    assert entries[0].at == now
    assert entries[0].details["value"] == "ip:203.0.113.7"
    assert entries[1].details["reason"] == "A mistake."
    assert entries[3].details["reason"] == "Allowed: Ours."
    assert _sentences(database) == []


def test_alerts_are_told_of_from_firing_to_the_end(database: Database, now: datetime) -> None:
    weighed = Condition(**{**_SHARE.__dict__, "severity": "critical"})
    over = Condition(**{**weighed.__dict__, "active": False})
    with database.write() as session:
        alert = apply_condition(session, _SHARE, now)
        assert alert is not None
        apply_condition(session, _SHARE, now)
        apply_condition(session, weighed, now)
    with database.write() as session:
        acknowledge(session, alert.id, "ada", now)
    with database.write() as session:
        address_notifications(session, ["soc@example.com"], now)
        claimed = claim_notification(session, now, 60)
        assert claimed is not None
        mark_sent(session, claimed, "smtp", "soc@example.com", now)
        apply_condition(session, over, now, judge="integrity")
    assert [(actor, action) for actor, action, _ in _told(database)] == [
        ("job:evaluate_alerts", "alert_fired"),
        ("job:evaluate_alerts", "alert_weighed"),
        ("analyst:ada", "alert_acknowledged"),
        ("job:notify", "notification_sent"),
        ("job:integrity", "alert_resolved"),
    ]


def test_keys_models_and_sign_ins_are_told_of_and_no_secret_is(
    database: Database, store_settings: StoreSettings, now: datetime
) -> None:
    models = OutlierModelStore(store_settings.store.var_dir)
    load = NewLoad("parser", "0.0.0.0:8080", "m2fp", "/models/m2fp", "ab" * 32, {}, "cd" * 32)
    with database.write() as session:
        secret = add_key(session, "acme", "root", now)
        revoke_key(session, "acme", "root", now)
        add_loaded_model(session, load, now)
        first, second = (
            models.add(session, archive=data, kind="combined", rows=40, metrics={}, now=now).id
            for data in (b"one", b"two")
        )
        for model in (first, second):
            promote(session, model, job("retrain"), now)
        promote(session, first, analyst("ada"), now)
    with database.write() as session:
        token = issue_token(session, "local", now, HOUR)
        browser = redeem_token(session, token, now, HOUR)
        assert browser is not None
        for _ in range(2):
            end_session(session, browser, now)
    told = _told(database)
    assert [(actor, action) for actor, action, _ in told if not action.startswith("link")] == [
        ("cli:root", "key_made"),
        ("cli:root", "key_revoked"),
        ("service:parser/0.0.0.0:8080", "model_loaded"),
        ("job:retrain", "outlier_model_trained"),
        ("job:retrain", "outlier_model_trained"),
        ("job:retrain", "outlier_model_promoted"),
        ("job:retrain", "outlier_model_promoted"),
        ("analyst:ada", "outlier_model_reverted"),
        ("analyst:local", "signed_in"),
        ("analyst:local", "signed_out"),
    ]
    assert any(actor.startswith("cli:") and action == "link_made" for actor, action, _ in told)
    everything = repr(_entries(database))
    for hidden in (secret, token, browser):
        assert hidden not in everything


def test_what_is_rolled_back_is_not_told_of(database: Database, now: datetime) -> None:
    with database.write() as session:
        add_key(session, "acme", "root", now)
    with database.write() as session:
        add_key(session, "lost", "root", now)
        with pytest.raises(KeyNotActive):
            revoke_key(session, "nobody", "root", now)
        session.rollback()
    assert [subject for _, _, subject in _told(database)] == ["key acme"]
    with database.write() as session:
        add_key(session, "gone", "root", now)
        session.rollback()
    for subject in ("kept", "kept too"):
        with database.write() as session:
            append(session, Entry(job("x"), Action.KEY_MADE, subject), now)
    assert [subject for _, _, subject in _told(database)] == ["key acme", "kept", "kept too"]
    assert _sentences(database) == []


def test_a_time_without_a_zone_is_refused(database: Database, now: datetime) -> None:
    with pytest.raises(ValueError, match="time zone"), database.write() as session:
        append(session, Entry(job("x"), Action.KEY_MADE, "key"), now.replace(tzinfo=None))


def test_processes_that_write_at_once_do_not_fork_the_chain(
    store_settings: StoreSettings, now: datetime
) -> None:
    def write(_number: int) -> None:
        database = Database.open(store_settings.model_copy(update={"database_wait_seconds": 60.0}))
        _fill(database, 5, now)
        database.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    database = Database.open(store_settings)
    check = ChainCheck()
    assert list(verify(database, check)) == []
    assert check.rows == 20
    database.close()


def test_who_takes_a_row_first_and_who_tells_first_do_not_lock_each_other_out(
    database: Database, now: datetime
) -> None:
    """One tells of a change before it touches the alert that the other one has touched already."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with database.write() as session:
        alert = apply_condition(session, _SHARE, now)
        assert alert is not None
    refreshed = Condition(**{**_SHARE.__dict__, "value": 0.2})
    with database.write() as session:
        append(session, Entry(job("x"), Action.KEY_MADE, "first"), now)
        with database.write() as other:
            acknowledge(other, alert.id, "ada", now)
        apply_condition(session, refreshed, now)
    assert [action for _, action, _ in _told(database)] == [
        "alert_fired",
        "alert_acknowledged",
        "key_made",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'analyst:nobody' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 2",
        "DELETE FROM audit",
    ],
)
def test_the_database_itself_refuses_to_change_the_table(
    database: Database, now: datetime, statement: str
) -> None:
    _fill(database, 3, now)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(statement))
    assert len(_entries(database)) == 3


def test_there_is_no_way_around_the_triggers(database: Database, now: datetime) -> None:
    _fill(database, 3, now)
    around = {
        "sqlite": "INSERT OR REPLACE INTO audit SELECT 2, at, 'x', action, subject, details, "
        "previous_hash, 'y' FROM audit WHERE sequence = 2",
        "postgresql": "TRUNCATE audit",
    }
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(around[database.dialect]))
    assert _sentences(database) == []


@pytest.mark.parametrize(
    ("statements", "sentences"),
    [
        (
            ["UPDATE audit SET actor = 'analyst:eve' WHERE sequence = 3"],
            ["Row 3 was changed: its contents do not have its hash."],
        ),
        (
            ["UPDATE audit SET details = '{\"number\": 3}' WHERE sequence = 3"],
            ["Row 3 was changed: its contents do not have its hash."],
        ),
        (["DELETE FROM audit WHERE sequence = 3"], ["Row 3 is missing."]),
        (["DELETE FROM audit WHERE sequence < 4"], ["Rows 1 to 3 are missing."]),
        (
            [
                "UPDATE audit SET sequence = 99 WHERE sequence = 2",
                "UPDATE audit SET sequence = 2 WHERE sequence = 4",
                "UPDATE audit SET sequence = 4 WHERE sequence = 99",
            ],
            [
                "Row 2 is out of its place: it was written as row 4.",
                "Row 4 is out of its place: it was written as row 2.",
            ],
        ),
    ],
)
def test_tampering_is_named(
    database: Database, now: datetime, statements: list[str], sentences: list[str]
) -> None:
    _fill(database, 6, now)
    _tamper(database, *statements)
    assert _sentences(database) == sentences


def test_a_page_shows_rows_that_were_changed(database: Database, now: datetime) -> None:
    _fill(database, 3, now)
    _tamper(database, "UPDATE audit SET at = 'noon', details = '[' WHERE sequence = 2")
    with database.read() as session:
        page = audit_page(session, AuditFilter(), 10)
    assert [entry.fits for entry in page.entries] == [True, False, True]
    assert (page.entries[1].at, page.entries[1].details) == (None, {})


def test_an_empty_chain_is_sound(database: Database) -> None:
    check = ChainCheck()
    assert list(verify(database, check)) == []
    assert (check.rows, check.head, check.is_head_met) == (0, GENESIS, True)


def test_a_long_chain_is_read_in_batches(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(database, 9, now)
    for size in (1, 3, 4, 9, 10):
        monkeypatch.setattr("store.pages.audit_views._BATCH", size)
        check = ChainCheck()
        assert list(verify(database, check)) == []
        assert check.rows == 9


def test_pages_go_there_and_back(database: Database, now: datetime) -> None:
    _fill(database, 7, now)

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
    _fill(database, 2, now)
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
        assert [entry.subject for entry in _entries(database, **wanted)] == subjects, wanted
