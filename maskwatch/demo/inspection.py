"""Looks at what the story left in the database, the mail folder and the running processes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import select

from detectors.families.members import Tie
from maskwatch.demo.pictures import ordinary
from maskwatch.demo.report import Report
from maskwatch.demo.story import ORDINARY
from maskwatch.demo.visitor import Answer, Cast, Desk, Visitor, client_name
from store.decisions.clients.client_decisions import decisions_on_client
from store.decisions.scopes import Kind
from store.engine.database import Database
from store.pages.family_views import FamilyView, list_families
from store.tables.request_tables import RequestRow, ScoreRow

_REFUSED_SECONDS = 10.0
_MAX_FAMILIES = 100


@dataclass(frozen=True)
class Inspection:
    """Observes what holds of both parts of the story."""

    database: Database
    desk: Desk
    cast: Cast
    mail_dir: Path
    report: Report

    def check_visitors(self) -> None:
        """Ordinary pictures pass, and nobody who sends them is blocked."""
        self._check_ordinary()
        self._check_neighbours()

    def check_attacker(self, what: str, address: str) -> None:
        """A client is blocked, refused, and named in a mail."""
        self._check_block(what, address)
        self._check_mail(what, address)

    def check_outliers(self, what: str, address: str) -> None:
        """The scan finds most of what a client sent unusual."""
        outliers, total = self._scores_of(client_name(address))
        self.report.observe(
            f"most {what} are found to be outliers",
            f"{outliers} of {total}",
            2 * outliers > total > 0,
        )

    def check_family(self, claim: str, tie: Tie, value: str) -> FamilyView | None:
        """Requests that share something are one family."""
        with self.database.read() as session:
            families = list_families(session, datetime.now(UTC), _MAX_FAMILIES)
        tied = [
            family
            for family in families
            if any((thing.tie, thing.value) == (tie, value) for thing in family.shared)
        ]
        outcome = f"family {tied[0].id}: {tied[0].line}" if tied else f"none of {len(families)}"
        self.report.observe(claim, outcome, len(tied) == 1)
        return tied[0] if tied else None

    def _check_ordinary(self) -> None:
        answers = self.report.answers[ORDINARY]
        pass_count, total = answers["pass"], answers.total()
        self.report.observe(
            "at least 95 % of ordinary pictures pass",
            f"{pass_count} of {total}",
            pass_count >= 0.95 * total,
        )

    def _check_block(self, what: str, address: str) -> None:
        client = client_name(address)
        now = datetime.now(UTC)
        with self.database.read() as session:
            blocks = decisions_on_client(session, now, client, Kind.BLOCK)
        observation = (
            f"until {blocks[0].until:%H:%M} UTC: {blocks[0].reason}" if blocks else "no decision"
        )
        self.report.observe(f"the client of the {what} is blocked", observation, bool(blocks))
        self.check_refusal("  and its requests are refused", address)

    def check_refusal(self, claim: str, address: str) -> None:
        """Requests of an address are refused, as soon as the process knows of the block."""
        answer = _wait_for_refusal(Visitor(self.desk, address))
        self.report.observe(
            claim,
            f"{answer.status} {answer.outcome}",
            (answer.status, answer.outcome) == (403, "blocked"),
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
                for address in self.cast.neighbours
                if decisions_on_client(session, now, client_name(address), Kind.BLOCK)
            ]
        observation = f"{len(victims)} of {len(self.cast.neighbours)} blocked"
        self.report.observe("no ordinary visitor is blocked", observation, not victims)

    def _check_mail(self, what: str, address: str) -> None:
        subjects = [_subject(path) for path in sorted(self.mail_dir.glob("*.eml"))]
        about = [each for each in subjects if f"client {client_name(address)} attacks" in each]
        outcome = about[0] if about else f"{len(subjects)} mails about others"
        self.report.observe(f"a mail names the client of the {what}", outcome, bool(about))


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
