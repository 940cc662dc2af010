"""One round of each measurement, in processes of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

import httpx2
from playwright.sync_api import sync_playwright

from bench.footprint.processes import (
    CommandFailed,
    RunningCommand,
    command,
    environment,
    start_command,
)
from bench.store.records import Traffic, measure_vectors
from bench.store.stock import fill
from jobs.commands import run_once
from jobs.settings import JobSettings
from store.alerts.job_runs import last_success
from store.engine.database import Database
from store.engine.start import open_database
from store.settings import StoreSettings, load_settings

RECORDS = 10_000
# What is freed or loaded right after a start has been by then.
_SETTLE_SECONDS = 3.0
_BROWSERS = ("chromium", "google-chrome", "chromium-browser")


def make_stock(folder: Path) -> None:
    """A database with a day of 10,000 requests, none of them scored yet."""
    day = timedelta(days=1)
    traffic = Traffic(measure_vectors(), RECORDS, datetime.now(UTC) - day, day)
    with closing(open_database(StoreSettings(var_dir=folder))) as database:
        fill(database, traffic)


def train(stock: Path) -> None:
    """Promote a model in the stock, as the night before has done."""
    settings = load_settings(JobSettings, var_dir=stock)
    run_once("retrain", settings, datetime.now(UTC))


def time_help() -> float:
    """Seconds that ``maskwatch --help`` takes."""
    with _folder() as folder:
        start = perf_counter()
        subprocess.run(  # noqa: S603 - our own program
            command("--help"), env=environment(folder), stdout=subprocess.DEVNULL, check=True
        )
        return perf_counter() - start


def weigh_jobs(stock: Path) -> float:
    """MB of ``jobs`` after it scanned 10,000 records; it trains a model first if there is none."""
    with _folder(stock) as folder, start_command("jobs", folder) as jobs:
        with closing(Database.open(StoreSettings(var_dir=folder))) as database:
            jobs.wait_for(lambda: _has_run("decide", database))
            if not _has_run("scan", database):
                raise jobs.failure()
        return _settled_mb(jobs)


def weigh_dashboard(stock: Path) -> float:
    """MB of ``dashboard`` while one browser shows its first page."""
    with _folder(stock) as folder, start_command("dashboard", folder) as dashboard:
        link = dashboard.wait_for_url("Dashboard")
        with sync_playwright() as playwright:
            arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
            page = browser.new_page()
            page.goto(link)
            page.get_by_role("heading").first.wait_for()
            return _settled_mb(dashboard)


def weigh_service() -> tuple[float, float]:
    """MB of an idle ``serve``, and the seconds until it was ready."""
    with _folder() as folder:
        start = perf_counter()
        with start_command("serve", folder) as service:
            _wait_until_ready(service)
            seconds = perf_counter() - start
            return _settled_mb(service), seconds


def weigh_all() -> float:
    """MB of ``up``: the service, jobs, the dashboard and what watches over them."""
    with _folder() as folder, start_command("up", folder) as up:
        _wait_until_ready(up)
        up.wait_for_url("Dashboard")
        with closing(Database.open(StoreSettings(var_dir=folder))) as database:
            up.wait_for(lambda: _has_run("decide", database))
        return _settled_mb(up)


def _wait_until_ready(service: RunningCommand) -> None:
    url = httpx2.URL(service.wait_for_url("Service")).join("/readyz")
    service.wait_for(lambda: _answers(url))


def _answers(url: httpx2.URL) -> bool:
    try:
        return httpx2.get(url).is_success
    except httpx2.TransportError:
        return False


def _settled_mb(process: RunningCommand) -> float:
    sleep(_SETTLE_SECONDS)
    return process.resident_mb()


def _has_run(job: str, database: Database) -> bool:
    with database.read() as session:
        return last_success(session, job) is not None


def browser_path() -> str:
    """The system's Chromium.

    Raises:
        CommandFailed: there is none.
    """
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    raise CommandFailed("There is no Chromium on this machine: `make browser` installs it.")


@contextmanager
def _folder(stock: Path | None = None) -> Iterator[Path]:
    """A new folder, with a copy of the stock."""
    with TemporaryDirectory(prefix="maskwatch-bench-") as name:
        if stock is not None:
            shutil.copytree(stock, name, dirs_exist_ok=True)
        yield Path(name)
