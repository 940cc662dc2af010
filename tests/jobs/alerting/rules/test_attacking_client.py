"""One alert with its mail for each client that attacks, whatever else is open."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from detectors.evidence.kinds import EvidenceKind
from jobs.alerting.alerts import run
from jobs.alerting.notify import run as notify
from jobs.blocking.decide import run as decide
from jobs.context import JobContext
from store.alert_rules.attacking_client import MAX_OPEN
from store.counts.turned_away import add_turned_away
from store.decisions.decisions import active_decisions, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.keeping.erasure import erase_name
from store.tables.work_tables import AlertRow
from tests.makers import make_decision

CRAFTER, SEARCHER, VANDAL, FLOODER = (f"ip:198.51.100.{number}" for number in (7, 23, 42, 99))
HONEST = "ip:203.0.113.8"


def later(context: JobContext, **delta: float) -> JobContext:
    return replace(context, now=context.now + timedelta(**delta))


def open_alerts(context: JobContext) -> dict[str, AlertRow]:
    firing = select(AlertRow).where(AlertRow.state == "firing").order_by(AlertRow.id)
    with context.database.read() as session:
        return {alert.fingerprint: alert for alert in session.scalars(firing)}


def attack(traffic: Any, client: str = CRAFTER, count: int = 4) -> None:
    traffic.flagged(client, count, reason="adversarial_picture")


def read_mails(folder: Path) -> dict[str, str]:
    """The texts of the mails by subject, in the order in which they were sent."""
    mails = {}
    for path in sorted(folder.glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        body = mail.get_body(("plain",))
        assert body is not None
        mails[str(mail["Subject"])] = body.get_content()
    return mails


@pytest.fixture
def four_attackers(context: JobContext, traffic: Any) -> None:
    traffic.clean(HONEST, 40)
    traffic.refused(HONEST, 20, reason="unsupported_type")
    attack(traffic)
    traffic.flagged(SEARCHER, 16, reason="probing_sequence")
    traffic.refused(VANDAL, 9, reason="unreadable")
    minute = int(context.now.timestamp()) - 120
    with context.database.write() as session:
        add_turned_away(session, {(EvidenceKind.FLOOD, FLOODER, minute - minute % 60): 281})


@pytest.mark.usefixtures("four_attackers")
def test_each_attacker_has_an_alert_though_another_one_is_open(context: JobContext) -> None:
    assert run(context).sentence == "5 alerts fired, 0 resolved, 5 open."
    alerts = open_alerts(context)
    assert set(alerts) == {
        "invalid_share",
        *(f"attacking_client/{each}" for each in (CRAFTER, SEARCHER, VANDAL, FLOODER)),
    }
    summary = alerts[f"attacking_client/{FLOODER}"].summary
    assert summary == (
        f"The client {FLOODER} attacks: 281 requests too many in 60 minutes, 0 uploads in all."
    )
    assert alerts[f"attacking_client/{SEARCHER}"].atlas == "AML.T0043.001"
    assert run(context).rows == 0


@pytest.mark.usefixtures("four_attackers")
def test_each_attacker_has_a_mail_and_the_first_is_about_one(context: JobContext) -> None:
    decide(context)
    run(context)
    notify(context)
    mails = read_mails(context.settings.mail_dir)
    assert next(iter(mails)) == f"[Maskwatch] FIRING warning: client {SEARCHER} attacks"
    for client in (CRAFTER, SEARCHER, VANDAL, FLOODER):
        text = mails[f"[Maskwatch] FIRING warning: client {client} attacks"]
        assert f"The client {client} attacks: " in text
        assert "blocked until" in text


def test_an_alert_is_over_when_the_client_has_stopped_for_a_window(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic)
    run(context)
    assert run(later(context, minutes=30)).rows == 0
    context = later(context, minutes=61)
    assert run(context).sentence == "0 alerts fired, 1 resolved, 0 open."
    with context.database.write() as session:
        assert erase_name(session, CRAFTER, context.now) == 0
        [alert] = session.scalars(select(AlertRow))
        shown = f"{alert.fingerprint} {alert.summary} {alert.evidence}"
    assert CRAFTER not in shown


def test_what_a_person_took_back_or_allowed_raises_no_alert(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic)
    attack(traffic, SEARCHER)
    decide(context)
    run(context)
    assert len(open_alerts(context)) == 2
    with context.database.write() as session:
        [block] = active_decisions(session, context.now, Scope.CLIENT, CRAFTER, Kind.BLOCK)
        revoke(session, block.id, "ada", "An honest customer.", context.now)
        allow = make_decision(kind=Kind.ALLOW, value=SEARCHER)
        add_decision(session, allow, context.now)
    assert run(later(context, minutes=1)).sentence == "0 alerts fired, 2 resolved, 0 open."
    attack(traffic.later(minutes=10))
    run(later(context, minutes=10))
    assert list(open_alerts(context)) == [f"attacking_client/{CRAFTER}"]


def test_many_attackers_do_not_fill_a_mailbox(context: JobContext, traffic: Any) -> None:
    for number in range(MAX_OPEN + 5):
        attack(traffic, f"ip:192.0.2.{number}")
    run(context)
    run(context)
    alerts = open_alerts(context)
    assert alerts.pop("invalid_share")
    assert len(alerts) == MAX_OPEN + 1
    many = alerts["many_attacking_clients"]
    assert many.value == 5
    assert many.summary.startswith("Attacks come from 5 more clients beside the 20")
    assert "21 resolved" in run(later(context, minutes=61)).sentence


@pytest.mark.parametrize(
    ("client", "ordinary", "sentence"),
    [
        (CRAFTER, 0, "The policy blocks the client by itself."),
        (CRAFTER, 60, "the policy blocks the pictures, not the client."),
        ("cli:local", 0, "No policy blocks it: somebody parsed these files by hand."),
        ("ip:10.0.0.7", 0, "No policy blocks it, since that would keep out everybody"),
        ("unknown@10.0.0.7", 0, "No policy blocks it, since that would keep out everybody"),
    ],
)
def test_the_mail_says_what_the_policy_does(
    context: JobContext, traffic: Any, client: str, ordinary: int, sentence: str
) -> None:
    settings = context.settings.model_copy(update={"trusted_proxies": (ip_network("10.0.0.0/8"),)})
    context = replace(context, settings=settings)
    traffic.clean(client, ordinary, minutes_ago=5)
    traffic.flagged(client, 9, reason="probing_sequence")
    decide(context)
    with context.database.read() as session:
        blocks = active_decisions(session, context.now, Scope.CLIENT, client, Kind.BLOCK)
    assert bool(blocks) is ("by itself" in sentence)
    run(context)
    notify(context)
    mail = read_mails(settings.mail_dir)[f"[Maskwatch] FIRING warning: client {client} attacks"]
    assert sentence in " ".join(mail.split())
