"""The command line. Thin: it reads settings, calls one function, prints its outcome."""

import os
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from detectors.errors import MaskwatchError
from detectors.verdict import Verdict
from maskwatch import logs
from maskwatch.commands.audit_commands import audit_app
from maskwatch.commands.config_commands import config_app
from maskwatch.commands.db_commands import database_app
from maskwatch.commands.erase_command import erase
from maskwatch.commands.export_commands import export
from maskwatch.commands.key_commands import keys_app
from maskwatch.commands.model_commands import model_app
from maskwatch.listener import listen
from store.configuration.names import CONFIG_VARIABLE
from store.settings import load_settings

app = typer.Typer(
    name="maskwatch",
    help="Guards a human-parsing service: screens, records, finds outliers, blocks, alerts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(audit_app, name="audit")
app.add_typer(config_app, name="config")
app.add_typer(database_app, name="db")
app.add_typer(keys_app, name="keys")
app.add_typer(model_app, name="model")
app.command()(export)
app.command()(erase)

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass
class _Options:
    debug: bool = False


_options = _Options()


@app.callback()
def common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option(help="Show tracebacks and debug logs.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings; over MASKWATCH_CONFIG.")
    ] = None,
) -> None:
    """Options of every command."""
    from maskwatch.environment import check_names

    _options.debug = debug
    logs.configure(debug)
    if config is not None:
        # So that processes which this one starts read the same file.
        os.environ[CONFIG_VARIABLE] = str(config.absolute())
    # `config check` names all problems itself, and `config init` reads no settings.
    if context.invoked_subcommand != "config":
        check_names()


@app.command()
def serve(
    segmenter: Annotated[
        str | None, typer.Option(help="reference or m2fp; over MASKWATCH_SEGMENTER.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder, ModelScope id or file; over MASKWATCH_MODEL.")
    ] = None,
) -> None:
    """Serve pictures: POST /v1/parse."""
    from inference.http.server import run
    from inference.settings import ServiceSettings

    settings = load_settings(ServiceSettings, segmenter=segmenter, model=model)
    listener = listen(settings.service.host, settings.service.port)
    run(settings, listener, lambda url: out.print(f"Service: {url}/v1/parse"))


@app.command()
def parse(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of pictures.")],
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Write composite and label PNG there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Parse files as the service would; every one is recorded."""
    from inference.service import build_service
    from inference.settings import ServiceSettings
    from maskwatch.commands.parse_files import parse_file
    from maskwatch.commands.picture_files import FileProblem, find_files

    failed = False
    with closing(build_service(load_settings(ServiceSettings))) as service:
        for file in find_files(paths):
            try:
                line = parse_file(service, file, out_dir)
            except FileProblem as problem:
                err.print(f"maskwatch: {problem}", markup=False)
                failed = True
                continue
            failed = failed or line.verdict == Verdict.REFUSE
            print(line.to_json() if as_json else line.to_text(), flush=True)  # noqa: T201
    if failed:
        raise typer.Exit(1)


@app.command()
def baseline(
    paths: Annotated[list[Path], typer.Argument(help="Folders of clean pictures.")],
    out_file: Annotated[Path, typer.Option("--out", help="Where the baseline goes.")],
) -> None:
    """Learn from clean pictures what is normal for the model, so that crafted ones stand out."""
    from inference.service import build_service
    from inference.settings import ServiceSettings
    from maskwatch.commands.baseline import learn_baseline, write_baseline

    with closing(build_service(load_settings(ServiceSettings))) as service:
        learnt = learn_baseline(service, paths)
    write_baseline(learnt, out_file)
    out.print(f"Wrote {out_file}: set MASKWATCH_BASELINE={out_file} for the service.", markup=False)


@app.command()
def screen(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of files.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Take files through the gate alone; nothing is parsed or recorded."""
    from inference.metrics import Metrics
    from inference.service import build_gate
    from inference.settings import ServiceSettings
    from maskwatch.commands.picture_files import find_files
    from maskwatch.commands.screen_files import REFUSE, screen_file

    settings = load_settings(ServiceSettings)
    refused = False
    with closing(build_gate(settings, Metrics())) as gate:
        for file in find_files(paths):
            line = screen_file(gate, file, settings.gate.max_upload_bytes)
            refused = refused or line.outcome == REFUSE
            print(line.to_json() if as_json else line.to_text(), flush=True)  # noqa: T201
    if refused:
        raise typer.Exit(1)


@app.command()
def doctor(
    send: Annotated[
        bool, typer.Option("--send", help="Send a test mail to each receiver of alerts, too.")
    ] = False,
) -> None:
    """Look at what this machine offers and what stands in the way of a start."""
    from inference.settings import ServiceSettings
    from maskwatch.commands.checks import State
    from maskwatch.commands.doctor import examine

    checks = examine(load_settings(ServiceSettings))
    if send:
        from jobs.settings import JobSettings
        from maskwatch.commands.mail_check import check_mail

        checks = chain(checks, check_mail(load_settings(JobSettings), datetime.now(UTC)))
    failed = False
    for check in checks:
        failed = failed or check.state is State.FAIL
        out.print(check.to_text(), markup=False)
    if failed:
        raise typer.Exit(1)


@app.command()
def jobs() -> None:
    """Run the scheduler: scan, decide, find patches, alert, check the model, notify, retrain."""
    from jobs.scheduler import run
    from jobs.settings import JobSettings

    run(load_settings(JobSettings))


def _one_shot(*names: str) -> None:
    from jobs.commands import run_once
    from jobs.settings import JobSettings

    settings = load_settings(JobSettings)
    for name in names:
        out.print(run_once(name, settings, datetime.now(UTC)).sentence, markup=False)


@app.command()
def scan() -> None:
    """Score new records once, then decide whom to block."""
    _one_shot("scan", "decide")


@app.command()
def find_patches() -> None:
    """Look once for a patch that recurs in flagged pictures, and put it on the blacklist."""
    _one_shot("find_patches")


@app.command()
def retrain() -> None:
    """Train an outlier model on clean records and promote it if it holds up."""
    _one_shot("retrain")


@app.command()
def evaluate_alerts() -> None:
    """Compare the thresholds with the records; fire and resolve alerts."""
    _one_shot("evaluate_alerts")


@app.command()
def integrity() -> None:
    """Compare the model files on this host with what its services loaded."""
    _one_shot("integrity")


@app.command()
def prune() -> None:
    """Remove records and pictures that are too old, and files that no record refers to."""
    _one_shot("prune")


@app.command()
def notify() -> None:
    """Send what waits in the outbox."""
    _one_shot("notify")


@app.command()
def dashboard() -> None:
    """Serve the dashboard; prints a one-time link to open it."""
    from dashboard.server import run
    from dashboard.settings import DashboardSettings

    settings = load_settings(DashboardSettings)
    listener = listen(
        settings.dashboard.dashboard_host, settings.dashboard.dashboard_port, "DASHBOARD_"
    )
    run(settings, listener, lambda link: out.print(f"Dashboard: {link}"))


@app.command()
def dashboard_link() -> None:
    """Print a new one-time link to the running dashboard."""
    from dashboard.server import new_link
    from dashboard.settings import DashboardSettings
    from store.engine.database import Database
    from store.engine.schema import ensure_current

    settings = load_settings(DashboardSettings)
    database = Database.open(settings)
    ensure_current(database)
    out.print(new_link(settings, database, datetime.now(UTC)))


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Play the demo's story beside the processes.")] = False,
) -> None:
    """Start service, jobs and dashboard; Ctrl-C stops all of them."""
    from maskwatch import supervisor
    from maskwatch.environment import ALL_SETTINGS

    if demo:
        _play(stay=True)
    for settings in ALL_SETTINGS:
        load_settings(settings)
    supervisor.run(supervisor.Supervisor(), lambda: None)


@app.command()
def demo(
    once: Annotated[bool, typer.Option(help="Stop when the story is told.")] = False,
) -> None:
    """Play a story of attacks against a service of its own and print what was observed."""
    _play(stay=not once)


def _play(*, stay: bool) -> NoReturn:
    from inference.extras import require_extra

    require_extra("dev", "The demo", ("torch", "onnx"))
    from maskwatch.demo.command import run_demo

    raise typer.Exit(run_demo(out, stay=stay))


def _quietly(command: Callable[[], None]) -> int:
    try:
        command()
    except MaskwatchError as error:
        if _options.debug:
            raise
        err.print(f"maskwatch: {error}", markup=False)
        return os.EX_TEMPFAIL if error.retryable else 1
    except Exception as error:
        if _options.debug:
            raise
        err.print(
            f"maskwatch: an unexpected fault ({type(error).__name__}); "
            "run `maskwatch --debug …` to see where.",
            markup=False,
        )
        return os.EX_SOFTWARE
    return 0


def main() -> NoReturn:
    """Entry point: one clear sentence and a non-zero exit for whatever goes wrong."""
    logs.take_over_hooks()
    sys.exit(_quietly(app))
