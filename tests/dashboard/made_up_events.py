"""Alerts, decisions and job runs of a made-up day."""

from dataclasses import replace
from datetime import datetime, timedelta

from detectors.patches.patches import Patch
from store.alerts.alerts import Condition, apply_condition
from store.alerts.job_runs import FAILED, SUCCEEDED, finish_run, start_run
from store.alerts.outbox import (
    address_notifications,
    claim_notification,
    mark_sent,
    postpone,
)
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.pictures.listed_patches import patch_evidence
from store.decisions.pictures.listed_perturbations import signature_evidence
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from tests.dashboard.drawn import draw_patch
from tests.detectors.perturbation_pictures import noise, signature_of
from tests.makers import make_condition

ATTACKER = "ip:203.0.113.66"
NEIGHBOURS = (
    "ip:198.51.100.7",
    "ip:198.51.100.23",
    "ip:192.0.2.141",
    "ip:2001:db8::1c",
    "cli:local",
)
HOUR = timedelta(hours=1)


def raise_alerts(database: Database, flagged: list[str], now: datetime) -> int:
    """Two rules that were broken, one of them twice; the key of the open alert about shares."""
    share = make_condition(
        value=0.0866,
        summary="8.65 % of the last 312 requests in 24 hours were refused or flagged (limit 5 %).",
        evidence={
            "requests": 312,
            "invalid": 27,
            "window_hours": 24,
            "reasons": [["trousers_without_feet", 9], ["skin_share_too_low", 7]],
            "clients": [[ATTACKER, 21], [NEIGHBOURS[1], 6]],
            "request_ids": flagged[-5:],
        },
    )
    failed = Condition(
        fingerprint="job_failed:retrain",
        rule="job_failed",
        severity="warning",
        active=True,
        value=1.0,
        threshold=0.0,
        summary="The job retrain failed. The database is locked by another program.",
        atlas="none",
        owasp="none",
        evidence={"job": "retrain", "run_id": 7},
    )
    with database.write() as session:
        old = apply_condition(session, failed, now - 20 * HOUR)
        over = replace(failed, active=False, value=0.0)
        apply_condition(session, over, now - 19 * HOUR)
    with database.write() as session:
        first = apply_condition(session, share, now - timedelta(minutes=42))
        assert first is not None
        assert old is not None
    _send_mails(database, now)
    with database.write() as session:
        apply_condition(session, failed, now - timedelta(minutes=12))
    return first.id


def _send_mails(database: Database, now: datetime) -> None:
    with database.write() as session:
        address_notifications(session, ["soc@example.com"], now - timedelta(minutes=41))
        for _ in range(2):
            claimed = claim_notification(session, now - timedelta(minutes=41), 60)
            assert claimed is not None
            at = claimed.created_at + timedelta(seconds=4)
            mark_sent(session, claimed, "smtp", "soc@example.com", at)
        claimed = claim_notification(session, now - timedelta(minutes=41), 60)
        assert claimed is not None
        error = "The mail server mail.example.com:587 refused the connection."
        postpone(session, claimed, error, now + timedelta(minutes=3))


def decide(database: Database, picture: str, now: datetime) -> int:
    """Blocks by policy and by hand, tried, undone and over; the key of the attacker's.

    Args:
        picture: digest of one that is blocked.
    """
    tried = _by_policy(NEIGHBOURS[2], "24 near-duplicates of one picture.", now + 3 * HOUR)
    tried = replace(tried, scenario="probing_sequence", simulated=True)
    ended = _by_policy(NEIGHBOURS[0], "5 outliers within an hour.", now - 11 * HOUR)
    block = _by_policy(
        ATTACKER, "11 outliers and 7 refusals within an hour.", now + timedelta(minutes=50)
    )
    known = "Known adversarial picture from the red-team exercise."
    with database.write() as session:
        past = add_decision(session, ended, now - 12 * HOUR)
        undone = add_decision(session, tried, now - 6 * HOUR)
        revoke(session, undone.id, "local", "A photographer with a burst.", now)
        allow = _by_hand(Kind.ALLOW, NEIGHBOURS[4], "Our own nightly regression run.", now)
        add_decision(session, allow, now - timedelta(days=1))
        content = replace(_by_hand(Kind.BLOCK, picture, known, now), scope=Scope.CONTENT)
        add_decision(session, content, now - 2 * HOUR)
        add_decision(session, _of_a_patch(now), now - timedelta(minutes=40))
        add_decision(session, _of_a_perturbation(now), now - timedelta(minutes=39))
        add_decision(session, tried, now - timedelta(minutes=31))
        assert past.id
        return add_decision(session, block, now - timedelta(minutes=10)).id


def _by_policy(client: str, reason: str, until: datetime) -> NewDecision:
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.CLIENT,
        value=client,
        scenario="repeated_outliers",
        origin="policy",
        reason=reason,
        created_by="policy",
        until=until,
    )


def _of_a_patch(now: datetime) -> NewDecision:
    patch = Patch(draw_patch(), 0.12)
    reason = "4 flagged pictures of 2 clients show it; ordinary pictures do not."
    return replace(
        _by_policy(patch.digest, reason, now + timedelta(days=30)),
        scope=Scope.PATCH,
        scenario="recurring_patch",
        simulated=True,
        evidence={**patch_evidence(patch, 0.7), "correlation": 0.91},
        job="find_patches",
    )


def _of_a_perturbation(now: datetime) -> NewDecision:
    signature = signature_of(noise())
    reason = "6 flagged pictures of 2 clients show it; ordinary pictures do not."
    return replace(
        _by_policy(signature.digest, reason, now + timedelta(days=30)),
        scope=Scope.PERTURBATION,
        scenario="recurring_perturbation",
        simulated=True,
        evidence={**signature_evidence(signature, 7.0), "strength": 41.3, "levels": 3.1},
        job="find_perturbations",
    )


def _by_hand(kind: Kind, value: str, reason: str, now: datetime) -> NewDecision:
    return NewDecision(
        kind=kind,
        scope=Scope.CLIENT,
        value=value,
        scenario="by_hand",
        origin="analyst",
        reason=reason,
        created_by="local",
        until=now + timedelta(days=30 if kind is Kind.ALLOW else 7),
    )


def run_jobs(database: Database, now: datetime) -> None:
    """The last run of each job, two of them failed."""
    failed = "The mail server mail.example.com:587 refused the connection."
    runs = {
        "scan": (4, SUCCEEDED, 12, None),
        "decide": (4, SUCCEEDED, 1, None),
        "evaluate_alerts": (1, SUCCEEDED, 2, None),
        "notify": (1, FAILED, 0, failed),
        "retrain": (14, FAILED, 0, "The database is locked by another program."),
    }
    with database.write() as session:
        for job, (minutes, outcome, rows, message) in runs.items():
            started = now - timedelta(minutes=minutes)
            run = start_run(session, job, started)
            ended = started + timedelta(seconds=1.4)
            finish_run(session, run, outcome, rows, message, ended)
