"""The command line: which commands there are, and what each error makes of the exit code."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from detectors.errors import MaskwatchError
from maskwatch import logs
from maskwatch.commands.audit.commands import audit_app
from maskwatch.commands.backtest.commands import backtest
from maskwatch.commands.baselines.commands import baselines_app
from maskwatch.commands.config.commands import config_app
from maskwatch.commands.database.commands import database_app
from maskwatch.commands.decisions.commands import decisions_app
from maskwatch.commands.detectors.commands import detectors_app
from maskwatch.commands.explain.commands import explain
from maskwatch.commands.families.commands import families_app
from maskwatch.commands.feedback.commands import feedback_app
from maskwatch.commands.jobs.commands import FORMER_NAMES, jobs_app, run_former_command, scan
from maskwatch.commands.keys.commands import keys_app
from maskwatch.commands.machine.commands import doctor
from maskwatch.commands.model.commands import learn_baseline, model_app
from maskwatch.commands.panels import Panel, PanelGroup
from maskwatch.commands.pictures.commands import parse, screen
from maskwatch.commands.printable import escape_unprintable
from maskwatch.commands.processes.commands import dashboard, dashboard_link, demo, serve, up
from maskwatch.commands.proxy.commands import proxy_app
from maskwatch.commands.records.commands import erase, export
from maskwatch.commands.rescore.commands import rescore
from store.configuration.names import CONFIG_VARIABLE

COMMANDS: tuple[tuple[Panel, tuple[Callable[..., None], ...]], ...] = (
    (Panel.SERVE, (up, serve, dashboard, dashboard_link)),
    (Panel.JOBS, (scan, rescore)),
    (Panel.DECISIONS, (backtest,)),
    (Panel.DATABASE, (export, erase)),
    (Panel.LOOK_AROUND, (doctor, parse, screen, explain, demo)),
)
GROUPS: tuple[tuple[Panel, str, typer.Typer], ...] = (
    (Panel.SERVE, "proxy", proxy_app),
    (Panel.JOBS, "jobs", jobs_app),
    (Panel.MODELS, "model", model_app),
    (Panel.MODELS, "baselines", baselines_app),
    (Panel.MODELS, "detectors", detectors_app),
    (Panel.DECISIONS, "decisions", decisions_app),
    (Panel.DECISIONS, "families", families_app),
    (Panel.DECISIONS, "feedback", feedback_app),
    (Panel.DATABASE, "db", database_app),
    (Panel.PEOPLE, "keys", keys_app),
    (Panel.PEOPLE, "audit", audit_app),
    (Panel.LOOK_AROUND, "config", config_app),
)

app = typer.Typer(
    name="maskwatch",
    cls=PanelGroup,
    help="Guards a human-parsing service: screens, records, finds outliers, blocks, alerts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for panel, commands in COMMANDS:
    for command in commands:
        app.command(rich_help_panel=panel)(command)
for panel, name, group in GROUPS:
    app.add_typer(group, name=name, rich_help_panel=panel)
for name in FORMER_NAMES:
    app.command(name, hidden=True)(run_former_command)
app.command("baseline", hidden=True)(learn_baseline)


_NO_ROOM = {ENOSPC, EDQUOT}


@dataclass
class _Options:
    debug: bool = False


_options = _Options()


def print_version(value: bool) -> None:
    """Print the installed version, and end.

    Raises:
        Exit: it was asked for.
    """
    if value:
        from importlib.metadata import version

        typer.echo(f"maskwatch {version('maskwatch')}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option(help="Show tracebacks and debug logs.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings; over MASKWATCH_CONFIG.")
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback prints it and ends the process
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
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


def run_quietly(command: Callable[[], None]) -> int:
    """Run a command; what goes wrong is one sentence and an exit code, unless with `--debug`."""
    try:
        command()
    except MaskwatchError as error:
        if _options.debug:
            raise
        typer.echo(f"maskwatch: {error}", err=True)
        return os.EX_TEMPFAIL if error.retryable else 1
    except Exception as error:
        if _options.debug:
            raise
        sentence, code = _describe_fault(error)
        typer.echo(f"maskwatch: {sentence}", err=True)
        return code
    return 0


def _describe_fault(error: Exception) -> tuple[str, int]:
    """What to say of an error that no part foresaw, and the exit code."""
    if isinstance(error, PermissionError) and error.filename is not None:
        sentence = (
            f"{escape_unprintable(str(error.filename))} is closed to this account "
            f"({error.strerror}): run the command as the account that runs Maskwatch."
        )
        return sentence, os.EX_NOPERM
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        sentence = (
            f"a disk is full ({error.strerror}): make room where MASKWATCH_VAR_DIR lies, then try "
            "again; `maskwatch doctor` says how much there is."
        )
        return sentence, os.EX_TEMPFAIL
    name = type(error).__name__
    return (
        f"an unexpected fault ({name}); run `maskwatch --debug …` to see where.",
        os.EX_SOFTWARE,
    )


def main() -> NoReturn:
    """Entry point: one clear sentence and a non-zero exit for whatever goes wrong."""
    logs.take_over_hooks()
    sys.exit(run_quietly(app))
