"""``maskwatch demo`` and ``maskwatch up --demo``."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2 as httpx
from rich.console import Console

from dashboard.server import new_link
from dashboard.settings import DashboardSettings
from jobs.settings import JobSettings
from maskwatch import supervisor
from maskwatch.demo.page import run_page
from maskwatch.demo.parts import Parts
from maskwatch.demo.report import Report
from maskwatch.demo.stage import Stage, prepare, wait_until_up
from store.engine.database import Database
from store.settings import load_settings

_FOLDER = Path("var") / "demo"


def run_demo(console: Console, *, stay: bool) -> int:
    """Play the story; 0 if every fact was observed, 1 otherwise.

    With ``stay`` the processes go on until Ctrl-C, so that the dashboard can be looked at.
    """
    if stay:
        return _Demo(console, prepare(_FOLDER), stay=True).run()
    with TemporaryDirectory(prefix="maskwatch-demo-") as folder:
        return _Demo(console, prepare(Path(folder) / "var"), stay=False).run()


@dataclass
class _Demo:
    console: Console
    stage: Stage
    stay: bool
    reports: list[Report] = field(default_factory=list)

    def run(self) -> int:
        # The story runs jobs in this process; they must read the demo's settings, not the user's.
        environment = self.stage.environment()
        os.environ.clear()
        os.environ.update(environment)
        variables = {"proxy": self.stage.proxy_variables()}
        names = (*supervisor.PROCESSES, "proxy")
        processes = supervisor.Supervisor(os.environ, names, variables, self.stage.var_dir)
        self.console.print("Starting service, jobs, dashboard, a page of somebody else, proxy …")
        with run_page(self.stage.page_port, environment, self.stage.var_dir / "page.log"):
            supervisor.run(processes, lambda: self._play(processes))
        return 0 if self.reports and all(report.holds for report in self.reports) else 1

    def _play(self, processes: supervisor.Supervisor) -> None:
        urls = {
            "service": f"{self.stage.service_url}/readyz",
            "dashboard": self.stage.dashboard_url,
            "page": self.stage.page_url,
            "proxy": f"{self.stage.proxy_url}/_maskwatch/readyz",
        }
        wait_until_up(urls, processes.check)
        database = Database.open(load_settings(DashboardSettings))
        mail_dir = self.stage.var_dir / "mail"
        parts = Parts(load_settings(JobSettings), database, mail_dir, self.console)
        with httpx.Client(base_url=self.stage.service_url, timeout=60) as http:
            self.reports.append(parts.play_at_service(http, partial(self._link, database)))
        with httpx.Client(base_url=self.stage.proxy_url, timeout=60) as http:
            self.reports.append(parts.play_at_page(http))
        for report in self.reports:
            report.show(self.console)
        if self.stay:
            self._invite(database)
        else:
            processes.ask_to_stop()
        database.close()

    def _invite(self, database: Database) -> None:
        self.console.print(f"\nDashboard: [bold]{self._link(database)}[/]")
        self.console.print("The link works once and for a few minutes. Ctrl-C stops everything.")

    def _link(self, database: Database) -> str:
        return new_link(load_settings(DashboardSettings), database, datetime.now(UTC))
