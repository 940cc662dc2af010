"""Looks at what the story left in the database, the mail folder and the running processes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from time import monotonic, sleep

import httpx2 as httpx
from sqlalchemy import select

from maskwatch.demo.pictures import ordinary
from maskwatch.demo.report import Report
from maskwatch.demo.story import ORDINARY
from maskwatch.demo.visitor import ARTIST, NEIGHBOURS, PROBER, VANDAL, Answer, Visitor
from store.decisions.decisions import Kind, Scope, active_decisions
from store.engine.database import Database
from store.tables.request_tables import RequestRow, ScoreRow
from store.tables.work_tables import AlertRow

_HOSTILE = {"malformed files": VANDAL, "gradient attacks": ARTIST, "probing": PROBER}
_REFUSED_SECONDS = 10.0


@dataclass(frozen=True)
class Inspection:
    """Observes the demo's facts."""

    database: Database
    http: httpx.Client
    mail_dir: Path
    report: Report

    def run(self, dashboard_link: str) -> None:
        """Every fact that the demo promises."""
        self._check_ordinary()
        for what, address in _HOSTILE.items():
            self._check_attacker(what, address)
        self._check_outliers()
        self._check_neighbours()
        self._check_share()
        self._check_mails()
        self._check_dashboard(dashboard_link)

    def _check_ordinary(self) -> None:
        answers = self.report.answers[ORDINARY]
        pass_count, total = answers["pass"], answers.total()
        self.report.observe(
            "at least 95 % of ordinary pictures pass",
            f"{pass_count} of {total}",
            pass_count >= 0.95 * total,
        )

    def _check_attacker(self, what: str, address: str) -> None:
        visitor = Visitor(self.http, address)
        now = datetime.now(UTC)
        with self.database.read() as session:
            blocks = active_decisions(session, now, Scope.CLIENT, visitor.client, Kind.BLOCK)
        observation = (
            f"until {blocks[0].until:%H:%M} UTC: {blocks[0].reason}" if blocks else "no decision"
        )
        self.report.observe(f"the client of the {what} is blocked", observation, bool(blocks))
        answer = _wait_for_refusal(visitor)
        self.report.observe(
            "  and its requests are refused",
            f"{answer.status} {answer.outcome}",
            (answer.status, answer.outcome) == (403, "blocked"),
        )

    def _check_outliers(self) -> None:
        for what, address in (("gradient attacks", ARTIST), ("probing queries", PROBER)):
            outliers, total = self._scores_of(f"ip:{address}")
            self.report.observe(
                f"most {what} are found to be outliers",
                f"{outliers} of {total}",
                2 * outliers > total > 0,
            )

    def _scores_of(self, client: str) -> tuple[int, int]:
        statement = (
            select(ScoreRow.outlier)
            .join(RequestRow, RequestRow.id == ScoreRow.request_pk)
            .where(RequestRow.client == client)
        )
        with self.database.read() as session:
            outliers = session.scalars(statement).all()
        return sum(outliers), len(outliers)

    def _check_neighbours(self) -> None:
        now = datetime.now(UTC)
        with self.database.read() as session:
            victims = [
                address
                for address in NEIGHBOURS
                if active_decisions(session, now, Scope.CLIENT, f"ip:{address}", Kind.BLOCK)
            ]
        observation = f"{len(victims)} of {len(NEIGHBOURS)} blocked"
        self.report.observe("no ordinary visitor is blocked", observation, not victims)

    def _check_share(self) -> None:
        with self.database.read() as session:
            alert = session.scalars(
                select(AlertRow).where(AlertRow.rule == "invalid_share")
            ).one_or_none()
        self.report.observe(
            "the invalid share raises an alert", alert.summary if alert else "none", bool(alert)
        )

    def _check_mails(self) -> None:
        mails = sorted(self.mail_dir.glob("*.eml"))
        subjects = [_subject(path) for path in mails]
        for what, address in _HOSTILE.items():
            about = [each for each in subjects if f"client ip:{address} attacks" in each]
            seen = about[0] if about else f"{len(mails)} mails about others"
            self.report.observe(f"a mail names the client of the {what}", seen, bool(about))
        if mails:
            self.report.observe("the mails wait where they can be read", mails[0], True)

    def _check_dashboard(self, link: str) -> None:
        with httpx.Client(follow_redirects=True, timeout=10) as browser:
            without = browser.get(link.partition("/sign-in")[0]).status_code
            status = browser.get(link).status_code
        self.report.observe(
            "the dashboard opens with its link and not without",
            f"{status} with, {without} without",
            (status, without) == (200, 401),
        )


def _wait_for_refusal(visitor: Visitor) -> Answer:
    """The first answer that is a refusal; the service looks for new decisions now and then."""
    give_up_at = monotonic() + _REFUSED_SECONDS
    answer = visitor.send(ordinary(seed=4000))
    while answer.status == 200 and monotonic() < give_up_at:
        sleep(0.1)
        answer = visitor.send(ordinary(seed=4000))
    return answer


def _subject(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    return str(message["Subject"]) if isinstance(message, EmailMessage) else ""
