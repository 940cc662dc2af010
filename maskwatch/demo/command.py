"""``maskwatch demo`` and ``maskwatch up --demo``."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2 as httpx
from rich.console import Console

from dashboard.server import new_link
from dashboard.settings import DashboardSettings
from jobs.settings import JobSettings
from maskwatch import supervisor
from maskwatch.demo.inspection import Inspection
from maskwatch.demo.report import Report
from maskwatch.demo.stage import Stage, prepare, wait_until_up
from maskwatch.demo.story import Story
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
    report: Report = field(default_factory=Report)

    def run(self) -> int:
        # The story runs jobs in this process; they must read the demo's settings, not the user's.
        environment = self.stage.environment()
        os.environ.clear()
        os.environ.update(environment)
        processes = supervisor.Supervisor(os.environ, logs=self.stage.var_dir)
        self.console.print("Starting service, jobs and dashboard …")
        supervisor.run(processes, lambda: self._play(processes))
        return 0 if self.report.holds else 1

    def _play(self, processes: supervisor.Supervisor) -> None:
        urls = {
            "service": f"{self.stage.service_url}/readyz",
            "dashboard": self.stage.dashboard_url,
        }
        wait_until_up(urls, processes.check)
        database = Database.open(load_settings(DashboardSettings))
        with httpx.Client(base_url=self.stage.service_url, timeout=60) as http:
            Story(http, load_settings(JobSettings), self.report, self.console).play()
            mail_dir = self.stage.var_dir / "mail"
            Inspection(database, http, mail_dir, self.report).run(self._link(database))
        self.report.show(self.console)
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
