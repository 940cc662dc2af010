"""Half a day of alerts to receivers whose server defers, refuses or is away; time is played."""

from asyncio import AbstractServer
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from logging import CRITICAL
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import structlog
from aiosmtpd.controller import Controller
from sqlalchemy import select

from bench.report import Figures
from jobs.alerting.channels.transports import transport_for
from jobs.alerting.notify import notify
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.alert_rules.mail_refused import MAIL_REFUSED
from store.alerts.alerts import Condition, apply_condition
from store.alerts.outbox import Delivery
from store.engine.start import open_database
from store.tables.work_tables import AlertRow, NotificationRow

_PROMPT, _REMEMBERED = "prompt@example.org", "remembered@example.org"
_FORGOTTEN, _GONE = "forgotten@example.org", "gone@example.org"
_RECEIVERS = (_PROMPT, _REMEMBERED, _FORGOTTEN, _GONE)
_START = datetime(2026, 3, 1, tzinfo=UTC)
_MINUTES, _ALERT_EVERY, _CALM_AFTER = 12 * 60, 15, 8 * 60
# A sender is let through five minutes after its first try, and here and there forgotten again.
_DEFERS_MINUTES, _FORGETS_MINUTES = 5, 20
# The server is away in this hour of the night.
_AWAY = range(3 * 60, 4 * 60)
_TAKEN, _LATER = "250 OK", "451 4.7.1 Greylisted, try again later"
_NOBODY, _CLOSED = "550 5.1.1 No such user", "421 4.3.2 Not now"


class Greylist(Controller):
    """A mail server whose minute is set from outside.

    Attributes:
        arrivals: mails that were taken, by receiver and message id.
        tries: how often each receiver was named.
    """

    def __init__(self) -> None:
        self.minute = 0
        self.arrivals: Counter[tuple[str, str]] = Counter()
        self.tries: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        super().__init__(self, hostname="127.0.0.1", port=0, server_hostname="mail.test")

    def _create_server(self) -> Awaitable[AbstractServer]:
        """Listen on a port that the system chooses."""
        listener = create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listener)

    async def handle_MAIL(self, *conversation: Any) -> str:  # noqa: N802 - the library's names
        """Take a sender, unless the server is away."""
        envelope, sender = conversation[2:4]
        if self.minute in _AWAY:
            return _CLOSED
        envelope.mail_from = sender
        return _TAKEN

    async def handle_RCPT(self, *conversation: Any) -> str:  # noqa: N802
        """Take a receiver, or say that it is too early or nobody."""
        envelope, receiver = conversation[2:4]
        self.tries[receiver] += 1
        reply = self._reply_to(receiver)
        if reply == _TAKEN:
            envelope.rcpt_tos.append(receiver)
        return reply

    async def handle_DATA(self, *conversation: Any) -> str:  # noqa: N802
        """Take a mail."""
        envelope = conversation[2]
        message = message_from_bytes(envelope.original_content)
        for receiver in envelope.rcpt_tos:
            self.arrivals[receiver, message["Message-ID"]] += 1
        return _TAKEN

    def _reply_to(self, receiver: str) -> str:
        if receiver == _GONE:
            return _NOBODY
        if receiver == _PROMPT:
            return _TAKEN
        first = self._first.setdefault(receiver, self.minute)
        if receiver == _FORGOTTEN and self.minute - first > _FORGETS_MINUTES:
            first = self._first[receiver] = self.minute
        return _TAKEN if self.minute - first >= _DEFERS_MINUTES else _LATER


def measure_greylisting() -> Figures:
    """What arrives, how often and how late, for each kind of receiver."""
    # Each refusal is logged, which is not what is looked at here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))
    with _greylist() as server, TemporaryDirectory(prefix="maskwatch-mail-") as folder:
        settings = _settings(Path(folder), server)
        database = open_database(settings)
        context = JobContext(database, settings, _START)
        for minute in range(_MINUTES):
            server.minute = minute
            _play(replace(context, now=_START + timedelta(minutes=minute)), minute)
        with database.read() as session:
            rows = session.scalars(select(NotificationRow)).all()
            refusals = session.scalars(select(AlertRow).where(AlertRow.rule == MAIL_REFUSED)).all()
        database.close()
    return {"mail_alerts_about_refusals": len(refusals), **_figures(rows, server)}


@contextmanager
def _greylist() -> Iterator[Greylist]:
    server = Greylist()
    server.start()
    try:
        yield server
    finally:
        server.stop(no_assert=True)


def _settings(folder: Path, server: Greylist) -> JobSettings:
    return JobSettings(
        var_dir=folder,
        smtp_host="127.0.0.1",
        smtp_port=server.port,
        smtp_starttls=False,
        mail_to=",".join(_RECEIVERS),
    )


def _play(context: JobContext, minute: int) -> None:
    """One minute: an alert now and then, while there are any, and the job that tells of it."""
    if minute % _ALERT_EVERY == 0 and minute < _CALM_AFTER:
        with context.database.write() as session:
            apply_condition(session, _condition(minute), context.now)
    notify(context, transport_for(context.settings))


def _condition(number: int) -> Condition:
    return Condition(
        fingerprint=f"job_failed:{number}",
        rule="job_failed",
        severity="warning",
        active=True,
        value=1.0,
        threshold=0.0,
        summary=f"The job number {number} failed.",
        atlas="none",
        owasp="none",
    )


def _figures(rows: Any, server: Greylist) -> Figures:
    waiting = [row for row in rows if row.state == Delivery.PENDING]
    sent = Counter(row.recipient for row in rows if row.state == Delivery.SENT)
    delays = {each: _minutes_of(rows, each) for each in (_PROMPT, _REMEMBERED, _FORGOTTEN)}
    return {
        "mail_alerts": _CALM_AFTER // _ALERT_EVERY,
        "mail_notifications": dict(Counter(row.event for row in rows)),
        "mail_waiting_at_the_end": len(waiting),
        "mail_refused": sum(row.state == Delivery.REFUSED for row in rows),
        "mail_arrived": {each: sum(_arrivals(server, each)) for each in delays},
        "mail_sent_and_not_arrived": sum(
            abs(sent[each] - len(_arrivals(server, each))) for each in delays
        ),
        "mail_arrived_twice": sum(count - 1 for count in server.arrivals.values()),
        "mail_tries": dict(server.tries),
        "mail_delay_minutes_p50": {each: float(np.median(some)) for each, some in delays.items()},
        "mail_delay_minutes_max": {each: float(max(some)) for each, some in delays.items()},
    }


def _arrivals(server: Greylist, receiver: str) -> list[int]:
    return [count for (name, _), count in server.arrivals.items() if name == receiver]


def _minutes_of(rows: Any, receiver: str) -> list[float]:
    return [
        (row.sent_at - row.created_at).total_seconds() / 60
        for row in rows
        if row.recipient == receiver and row.sent_at is not None
    ]
