"""The parts of the demo: a model that Maskwatch hosts, then a service that it is attached to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
from rich.console import Console
from sqlalchemy import func, select

from detectors.families.members import Tie
from jobs.settings import JobSettings
from maskwatch.demo.gang import Gang
from maskwatch.demo.inspection import Inspection
from maskwatch.demo.report import Report
from maskwatch.demo.story import AT_PAGE, AT_SERVICE, Script, Story
from maskwatch.demo.visitor import (
    CAST_OF_PAGE,
    CAST_OF_SERVICE,
    Cast,
    Desk,
    PageDesk,
    ServiceDesk,
    client_name,
)
from store.engine.database import Database
from store.requests.records import Stage
from store.tables.request_tables import RequestRow
from store.tables.work_tables import AlertRow

_SERVICE, _PAGE = "A model that Maskwatch hosts", "A Flask page that Maskwatch is attached to"
_MALFORMED, _GRADIENT, _PROBING = "malformed files", "gradient attacks", "probing"


@dataclass(frozen=True)
class Parts:
    """Plays both parts against running processes, and checks what came of each."""

    jobs: JobSettings
    database: Database
    mail_dir: Path
    console: Console

    def play_at_service(self, http: httpx.Client, make_link: Callable[[], str]) -> Report:
        """The story against the hosted model.

        Args:
            make_link: a new link to the dashboard; it works for a few minutes.
        """
        desk, cast, report = ServiceDesk(http), CAST_OF_SERVICE, Report(_SERVICE)
        inspection = self._play(desk, cast, AT_SERVICE, report)
        inspection.check_attacker(_MALFORMED, cast.vandal)
        inspection.check_attacker(_GRADIENT, cast.artist)
        inspection.check_attacker(_PROBING, cast.prober)
        inspection.check_outliers(_GRADIENT, cast.artist)
        inspection.check_outliers("probing queries", cast.prober)
        client = client_name(cast.artist)
        inspection.check_family("the gradient attacks are one family", Tie.CLIENT, client)
        self._check_share(report)
        self._check_mails(report)
        Gang(inspection, self.jobs).play()
        _check_dashboard(make_link(), report)
        return report

    def play_at_page(self, http: httpx.Client) -> Report:
        """The same story against somebody else's service, through the proxy.

        Looks at an upstream take a baseline of it first, so nothing is asked of crafted pictures
        here.
        """
        desk, cast, report = PageDesk(http, self.database), CAST_OF_PAGE, Report(_PAGE)
        inspection = self._play(desk, cast, AT_PAGE, report)
        inspection.check_attacker(_MALFORMED, cast.vandal)
        inspection.check_attacker(_PROBING, cast.prober)
        claim = "whom the first part blocked is refused here, too"
        inspection.check_refusal(claim, CAST_OF_SERVICE.artist)
        self._check_parses(report)
        return report

    def _play(self, desk: Desk, cast: Cast, script: Script, report: Report) -> Inspection:
        self.console.print(f"\n[bold]{report.part}[/]")
        Story(desk, cast, script, self.jobs, report, self.console).play()
        inspection = Inspection(self.database, desk, cast, self.mail_dir, report)
        inspection.check_visitors()
        return inspection

    def _check_share(self, report: Report) -> None:
        with self.database.read() as session:
            alert = session.scalars(
                select(AlertRow).where(AlertRow.rule == "invalid_share")
            ).one_or_none()
        report.observe(
            "the invalid share raises an alert", alert.summary if alert else "none", bool(alert)
        )

    def _check_mails(self, report: Report) -> None:
        mails = sorted(self.mail_dir.glob("*.eml"))
        folder = mails[0].parent if mails else "none"
        report.observe("the mails wait where they can be read", folder, bool(mails))

    def _check_parses(self, report: Report) -> None:
        """Every answer of the page to a picture was read into a parse."""
        of_proxy = select(func.count()).where(RequestRow.route == "proxy", RequestRow.status == 200)
        with self.database.read() as session:
            answers = session.scalar(of_proxy) or 0
            parsed = of_proxy.where(RequestRow.stage == Stage.PARSED.value)
            parses = session.scalar(parsed) or 0
        report.observe(
            "every answer of the page is read", f"{parses} of {answers}", answers == parses > 0
        )


def _check_dashboard(link: str, report: Report) -> None:
    with httpx.Client(follow_redirects=True, timeout=10) as browser:
        without = browser.get(link.partition("/sign-in")[0]).status_code
        status = browser.get(link).status_code
    report.observe(
        "the dashboard opens with its link and not without",
        f"{status} with, {without} without",
        (status, without) == (200, 401),
    )
