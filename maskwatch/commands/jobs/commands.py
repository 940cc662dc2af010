"""The commands ``maskwatch jobs``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from maskwatch.commands.engine_options import (
    ActorsOption,
    AddressOption,
    EngineName,
    EngineOption,
    open_engine,
)
from store.settings import StoreSettings, load_settings

jobs_app = typer.Typer(invoke_without_command=True)

# Names of commands before `maskwatch jobs run`: people and their timers still use them.
FORMER_NAMES = (
    "find-patches",
    "retrain",
    "evaluate-alerts",
    "integrity",
    "prune",
    "notify",
)


def complete_job(incomplete: str) -> list[tuple[str, str]]:
    """Names of jobs that begin so, spelt with hyphens if those are, each with what it does."""
    from jobs.catalogue import JOBS

    names = {job.name.replace("_", "-") if "-" in incomplete else job.name: job for job in JOBS}
    return [(name, job.purpose) for name, job in names.items() if name.startswith(incomplete)]


@jobs_app.callback()
def run_scheduler(context: typer.Context) -> None:
    """Run all jobs on their schedule; with a command, run, list or look at them."""
    if context.invoked_subcommand is not None:
        return
    from jobs.scheduler import run
    from jobs.settings import JobSettings

    run(load_settings(JobSettings))


@jobs_app.command("run")
def run_job(
    name: Annotated[
        str, typer.Argument(help="As `jobs list` names it.", autocompletion=complete_job)
    ],
) -> None:
    """Run one job now, and those that always follow it."""
    from jobs.commands import run_chain_once
    from jobs.settings import JobSettings

    for outcome in run_chain_once(name, load_settings(JobSettings), lambda: datetime.now(UTC)):
        typer.echo(outcome.sentence)


@jobs_app.command("list")
def list_jobs(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List all jobs: when they run and what they do."""
    from jobs.settings import JobSettings
    from maskwatch.commands.jobs.job_list import list_schedule, to_json, to_text

    for view in list_schedule(load_settings(JobSettings)):
        typer.echo(to_json(view) if as_json else to_text(view))


@jobs_app.command("status")
def show_status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the latest run of each job: when, how it ended, what it said."""
    from maskwatch.commands.jobs.job_runs import list_latest_runs, to_json, to_text

    runs = list_latest_runs(load_settings(StoreSettings))
    for run in runs:
        typer.echo(to_json(run) if as_json else to_text(run))
    if not runs and not as_json:
        typer.echo("No job has run yet: start them with `maskwatch jobs` or `maskwatch up`.")


@jobs_app.command("health")
def show_health() -> None:
    """Say who runs the jobs and whether they run; for probes: exit code 1 if they do not."""
    from maskwatch.commands.jobs.health import read_jobs_health

    health = read_jobs_health(load_settings(StoreSettings))
    typer.echo(health.sentence)
    if not health.is_ready:
        raise typer.Exit(1)


def scan(
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="2026-03-01, 24h or 7d; older records stay for later."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what a scan would find.")] = False,
    engine: EngineOption = EngineName.LOCAL,
    address: AddressOption = None,
    actors: ActorsOption = None,
) -> None:
    """Score new records, select the outliers and decide; as `jobs run scan`."""
    from jobs.commands import preview_scan, run_scan
    from jobs.settings import JobSettings
    from maskwatch.commands.time_arguments import read_time

    now, settings = datetime.now(UTC), load_settings(JobSettings)
    start = None if since is None else read_time(since, now)
    with open_engine(engine, address, actors, settings.store.var_dir) as chosen:
        if dry_run:
            typer.echo(preview_scan(settings, now, start, chosen))
            return
        for outcome in run_scan(settings, lambda: datetime.now(UTC), start, chosen):
            typer.echo(outcome.sentence)


def run_former_command(context: typer.Context) -> None:
    """Run the job whose name the command has, as `maskwatch jobs run` does."""
    run_job(str(context.info_name))
