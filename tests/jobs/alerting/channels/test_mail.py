from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest

from jobs.alerting.channels.mail import OutgoingMail, compose
from jobs.alerting.report import report_on
from jobs.context import JobContext
from store.alerts.alerts import Event, apply_condition
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.tables.work_tables import AlertRow, DecisionRow
from tests.makers import make_condition

CLIENT = "ip:203.0.113.7"


class Markup(HTMLParser):
    """Collects tags, their attributes and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def alert(context: JobContext) -> AlertRow:
    with context.database.write() as session:
        row = apply_condition(session, make_condition(), context.now)
    assert row is not None
    return row


@pytest.fixture
def block(context: JobContext) -> DecisionRow:
    until = context.now + timedelta(hours=1)
    new = NewDecision(
        Kind.BLOCK, Scope.CLIENT, CLIENT, "repeated_refusals", "policy", "20 refusals.", "x", until
    )
    with context.database.write() as session:
        return add_decision(session, new, context.now)


def mail_of(
    context: JobContext, alert: AlertRow, event: Event, blocks: dict[str, DecisionRow]
) -> OutgoingMail:
    report = report_on(alert, event, blocks, context.settings.dashboard.public_url())
    return compose(report, alert, context.settings, context.now)


def parsed(mail: OutgoingMail) -> tuple[EmailMessage, str, str]:
    message = message_from_bytes(bytes(mail.message), policy=default)
    assert isinstance(message, EmailMessage)
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return message, text.get_content(), html.get_content()


def test_the_mail_is_enough_to_decide_on(
    context: JobContext, alert: AlertRow, block: DecisionRow
) -> None:
    message, text, html = parsed(mail_of(context, alert, Event.FIRING, {CLIENT: block}))
    assert message["Subject"] == ("[Maskwatch] FIRING warning: invalid share 12.5 % (limit 5 %)")
    assert message["From"] == "Maskwatch <maskwatch@localhost>"
    assert message["To"] == "oncall@localhost"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == context.now
    base = "http://127.0.0.1:8501"
    for part in (text, Markup(html).text):
        for expected in (
            "12.5 % of the last 200 requests",
            "2 Mar 2026, 12:00 UTC",
            "12.5 %, limit 5 %",
            "truncated",
            "no_person_found: The model found no person in the picture.",
            CLIENT,
            "blocked until 2 Mar 2026, 13:00 UTC",
            "What to do next",
        ):
            assert expected in part
    for url in (f"{base}/alerts?alert={alert.id}", f"{base}/blacklist"):
        assert url in text
        assert url in Markup(html).targets
    assert f"{base}/request?id=a%20b%2F%3Cx%3E" in Markup(html).targets


def test_values_are_escaped_and_nothing_is_loaded(context: JobContext, alert: AlertRow) -> None:
    _, _, html = parsed(mail_of(context, alert, Event.FIRING, {}))
    markup = Markup(html)
    assert "<b>ip&</b>" in markup.text
    assert not {"b", "x", "img", "script", "link", "style", "iframe"} & set(markup.tags)
    assert all(target.startswith("http://127.0.0.1:8501/") for target in markup.targets)


def test_a_resolved_notice_joins_the_conversation(context: JobContext, alert: AlertRow) -> None:
    first = mail_of(context, alert, Event.FIRING, {}).message
    alert.resolved_at = context.now
    message, text, _ = parsed(mail_of(context, alert, Event.RESOLVED, {}))
    assert str(message["Subject"]).startswith("[Maskwatch] RESOLVED: invalid share")
    assert message["References"] == first["Message-ID"]
    assert message["Message-ID"] != first["Message-ID"]
    assert "Resolved:" in text
    assert "What to do next" not in text


def test_the_same_event_has_the_same_message_id(context: JobContext, alert: AlertRow) -> None:
    first, again = (mail_of(context, alert, Event.FIRING, {}).message for _ in range(2))
    assert first["Message-ID"] == again["Message-ID"]


def test_a_failed_job_names_the_command(context: JobContext) -> None:
    condition = make_condition(
        fingerprint="job_failed:evaluate_alerts",
        rule="job_failed",
        atlas="none",
        evidence={"job": "evaluate_alerts"},
    )
    with context.database.write() as session:
        row = apply_condition(session, condition, context.now)
    assert row is not None
    message, text, _ = parsed(mail_of(context, row, Event.FIRING, {}))
    assert message["Subject"] == "[Maskwatch] FIRING warning: job evaluate_alerts failed"
    assert "`maskwatch jobs run evaluate_alerts`" in text
    assert "ATLAS" not in text


def test_a_file_name_says_when_what_and_which(context: JobContext, alert: AlertRow) -> None:
    mail: Any = mail_of(context, alert, Event.FIRING, {})
    assert mail.name == f"20260302T120000Z-{alert.id}-firing"


def test_a_spool_in_use_says_where_and_that_nothing_is_lost(context: JobContext) -> None:
    evidence = {"host": "parser-1", "var_dir": "/var/lib/maskwatch", "records": 3}
    condition = make_condition(
        fingerprint="spool_in_use:1",
        rule="spool_in_use",
        value=3.0,
        atlas="none",
        evidence=evidence,
    )
    with context.database.write() as session:
        row = apply_condition(session, condition, context.now)
    assert row is not None
    message, text, _ = parsed(mail_of(context, row, Event.FIRING, {}))
    assert message["Subject"] == "[Maskwatch] FIRING warning: 3 records in the spool"
    assert "parser-1" in text
    assert "/var/lib/maskwatch" in text
    assert "Nothing is lost" in text
    row.resolved_at = context.now
    message, _, _ = parsed(mail_of(context, row, Event.RESOLVED, {}))
    assert str(message["Subject"]).endswith("spool is empty")


@pytest.mark.parametrize(
    ("rule", "subject", "resolved", "words"),
    [
        ("clock_stepped", "clock put back by 1:00:00", "clock has not stepped for a day", "prune"),
        ("jobs_standing_still", "jobs stand still", "jobs begin again", "Restart `maskwatch jobs`"),
    ],
)
def test_what_became_of_the_scheduler_says_where_and_what_to_do(
    context: JobContext, rule: str, subject: str, resolved: str, words: str
) -> None:
    condition = make_condition(
        fingerprint=rule, rule=rule, value=-3600.0, atlas="none", evidence={"host": "parser-1"}
    )
    with context.database.write() as session:
        row = apply_condition(session, condition, context.now)
    assert row is not None
    message, text, _ = parsed(mail_of(context, row, Event.FIRING, {}))
    assert message["Subject"] == f"[Maskwatch] FIRING warning: {subject}"
    assert "parser-1" in text
    assert words in text
    row.resolved_at = context.now
    message, _, _ = parsed(mail_of(context, row, Event.RESOLVED, {}))
    assert str(message["Subject"]).endswith(resolved)


def test_an_alert_of_a_rule_that_this_version_does_not_know_says_what_is_stored(
    context: JobContext,
) -> None:
    condition = make_condition(fingerprint="new", rule="a_rule_of_tomorrow", value=7.0)
    with context.database.write() as session:
        row = apply_condition(session, condition, context.now)
    assert row is not None
    message, text, _ = parsed(mail_of(context, row, Event.FIRING, {}))
    assert message["Subject"] == "[Maskwatch] FIRING warning: a rule of tomorrow"
    assert "Acknowledge the alert" in text
    assert "Block who attacks" not in text
    assert "Share" not in text
