"""What is told of on real databases, and by whom; no secret is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from store.alerts.alerts import Condition, acknowledge, apply_condition
from store.alerts.outbox import address_notifications, claim_notification, mark_sent
from store.audit.actors import analyst, job
from store.audit.audit_log import Action, Entry, append
from store.audit.hash_chain import ChainCheck
from store.decisions.decisions import add_decision, revoke
from store.decisions.scopes import Kind
from store.engine.database import Database
from store.models.loaded_models import NewLoad, add_loaded_model
from store.models.outlier_models import OutlierModelStore, promote
from store.pages.audit_views import verify
from store.people.api_keys import KeyNotActive, add_key, revoke_key
from store.people.sign_in import end_session, issue_token, redeem_token
from store.settings import StoreSettings
from tests.makers import make_decision
from tests.store.audit.trails import fill, list_faults, list_told, read_entries

HOUR = timedelta(hours=1)
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
    assert list_told(database) == [
        ("job:decide", "decision_made", f"decision {first}"),
        ("analyst:ada", "decision_revoked", f"decision {first}"),
        ("job:decide", "decision_made", f"decision {second}"),
        ("analyst:bob", "decision_revoked", f"decision {second}"),
        ("analyst:bob", "decision_made", f"decision {third}"),
    ]
    entries = read_entries(database)
    assert entries[0].at == now
    assert entries[0].details["value"] == "ip:203.0.113.7"
    assert entries[1].details["reason"] == "A mistake."
    assert entries[3].details["reason"] == "Allowed: Ours."
    assert list_faults(database) == []


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
    assert [(actor, action) for actor, action, _ in list_told(database)] == [
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
    told = list_told(database)
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
    everything = repr(read_entries(database))
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
    assert [subject for _, _, subject in list_told(database)] == ["key acme"]
    with database.write() as session:
        add_key(session, "gone", "root", now)
        session.rollback()
    for subject in ("kept", "kept too"):
        with database.write() as session:
            append(session, Entry(job("x"), Action.KEY_MADE, subject), now)
    assert [subject for _, _, subject in list_told(database)] == ["key acme", "kept", "kept too"]
    assert list_faults(database) == []


def test_a_time_without_a_zone_is_refused(database: Database, now: datetime) -> None:
    with pytest.raises(ValueError, match="time zone"), database.write() as session:
        append(session, Entry(job("x"), Action.KEY_MADE, "key"), now.replace(tzinfo=None))


def test_processes_that_write_at_once_do_not_fork_the_chain(
    store_settings: StoreSettings, now: datetime
) -> None:
    def write(_number: int) -> None:
        database = Database.open(store_settings.model_copy(update={"database_wait_seconds": 60.0}))
        fill(database, 5, now)
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
    assert [action for _, action, _ in list_told(database)] == [
        "alert_fired",
        "alert_acknowledged",
        "key_made",
    ]
