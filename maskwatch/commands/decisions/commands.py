"""The commands ``maskwatch decisions``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from jobs.settings import JobSettings
from maskwatch.commands.listing import echo_list
from maskwatch.commands.row_numbers import row_number
from store.decisions.scopes import Kind, Scope
from store.settings import ReportSettings, StoreSettings, load_settings

decisions_app = typer.Typer(
    help="Blocks and allows: list, make, revoke, exchange; scenarios and proposals.",
    no_args_is_help=True,
)

_ID = row_number("decisions list")
_PROPOSAL = row_number("decisions list --proposals")
_JSON = typer.Option("--json", help="One JSON object a line.")
_REASON = typer.Option("--reason", help="Why; whoever reads it later wants to know.")
_VALUE = typer.Argument(
    help="203.0.113.7, key:acme, 203.0.113.0/24, a SHA-256, or a perceptual hash with /RADIUS."
)
_SCOPE = typer.Option(help="What the value is.")
_FOR = typer.Option("--for", metavar="SPAN", help="How long: 90min, 24h or 7d.")
_FAMILY = typer.Option("--family", metavar="ID", help="The family that it is about.")
_UNTIL = typer.Option(metavar="TIME", help="Or until when: 2026-03-01T08:30 (UTC).")


@decisions_app.command("list")
def list_decisions(
    as_json: Annotated[bool, _JSON] = False,
    proposals: Annotated[
        bool, typer.Option("--proposals", help="The blocks that wait for a person instead.")
    ] = False,
) -> None:
    """List the blocks and allows that hold now, newest first, 500 at most."""
    from maskwatch.commands.decisions import decision_list as views

    settings, now = load_settings(StoreSettings), datetime.now(UTC)
    if proposals:
        to_line = views.proposal_to_json if as_json else views.proposal_to_text
        waiting = views.read_proposals(settings, now)
        echo_list(map(to_line, waiting), "No block waits for a person.")
        return
    to_text = views.to_json if as_json else views.to_text
    echo_list(map(to_text, views.read_decisions(settings, now)), "No block or allow holds now.")


@decisions_app.command("show")
def show_decision(decision: Annotated[int, _ID], as_json: Annotated[bool, _JSON] = False) -> None:
    """Show a decision, the requests that led to it, and what it has refused since."""
    from maskwatch.commands.decisions import decision_trace as traces

    traced = traces.read_decision(load_settings(StoreSettings), decision, datetime.now(UTC))
    for line in [traces.to_json(traced)] if as_json else traces.to_text(traced):
        typer.echo(line)


@decisions_app.command("add")
def add_block(
    value: Annotated[str, _VALUE],
    reason: Annotated[str, _REASON],
    scope: Annotated[Scope, _SCOPE] = Scope.CLIENT,
    span: Annotated[str | None, _FOR] = None,
    until: Annotated[str | None, _UNTIL] = None,
    family: Annotated[int | None, _FAMILY] = None,
    force: Annotated[bool, typer.Option(help="Also block a trusted proxy.")] = False,
) -> None:
    """Block a client, key, network or picture; for an hour if nothing else is said."""
    end = _read_end(span, until, "1h")
    _save(Kind.BLOCK, scope, value, reason, end, family, force=force)


@decisions_app.command("allow")
def add_allow(
    value: Annotated[str, _VALUE],
    reason: Annotated[str, _REASON],
    scope: Annotated[Scope, _SCOPE] = Scope.CLIENT,
    span: Annotated[str | None, _FOR] = None,
    until: Annotated[str | None, _UNTIL] = None,
) -> None:
    """Allow a client, key, network or picture; blocks of it and of its parts end at once.

    For thirty days if nothing else is said.
    """
    end = _read_end(span, until, "30d")
    _save(Kind.ALLOW, scope, value, reason, end, None, force=False)


@decisions_app.command("revoke")
def revoke_decision(decision: Annotated[int, _ID], reason: Annotated[str, _REASON]) -> None:
    """End a block or an allow early."""
    from maskwatch.commands.decisions import decision_changes as changes

    now = datetime.now(UTC)
    typer.echo(changes.end_decision(load_settings(StoreSettings), decision, reason, now))


@decisions_app.command("enable")
def enable_scenario(
    scenario: Annotated[str, typer.Argument(help="Such as crafted_pictures.")],
    reason: Annotated[str, _REASON] = "Turned on by hand.",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Enforce the blocks of a scenario; says first whom the next run will hit."""
    from maskwatch.commands.decisions import decision_changes as changes

    settings, now = load_settings(JobSettings), datetime.now(UTC)
    for line in changes.list_hits(settings, scenario, now):
        typer.echo(line)
    if yes or typer.confirm(f"Turn {scenario} on?"):
        typer.echo(changes.turn_on(settings, scenario, reason, now))


@decisions_app.command("accept")
def accept_proposal(proposal: Annotated[int, _PROPOSAL], reason: Annotated[str, _REASON]) -> None:
    """Make a block that was proposed."""
    from maskwatch.commands.decisions import decision_changes as changes

    now = datetime.now(UTC)
    typer.echo(changes.accept(load_settings(StoreSettings), proposal, reason, now))


@decisions_app.command("decline")
def decline_proposal(proposal: Annotated[int, _PROPOSAL], reason: Annotated[str, _REASON]) -> None:
    """Decline a block that was proposed."""
    from maskwatch.commands.decisions import decision_changes as changes

    now = datetime.now(UTC)
    typer.echo(changes.decline(load_settings(StoreSettings), proposal, reason, now))


@decisions_app.command("export")
def export_decisions(
    form: Annotated[
        str, typer.Option("--format", help="json, crowdsec, nginx or fail2ban.")
    ] = "json",
    jail: Annotated[str, typer.Option(help="Name of the jail, for fail2ban.")] = "maskwatch",
) -> None:
    """Print what is blocked, for other programs; only JSON has more than addresses."""
    from maskwatch.commands.decisions import decision_exports as exports

    if form not in set(exports.ExportFormat):
        raise typer.BadParameter(f"The formats are {', '.join(exports.ExportFormat)}.")
    if not exports.is_jail(jail):
        raise typer.BadParameter("A jail's name has letters, digits, dots, dashes and underscores.")
    settings, now = load_settings(StoreSettings), datetime.now(UTC)
    for line in exports.export_lines(settings, exports.ExportFormat(form), jail, now):
        typer.echo(line)


@decisions_app.command("import")
def import_decisions(
    file: Annotated[Path, typer.Argument(help="JSON or CSV of CrowdSec, or our own JSON.")],
    reason: Annotated[str, _REASON] = "Imported.",
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Take the others when entries are broken.")
    ] = False,
) -> None:
    """Take a list of blocks: all of it or nothing, unless broken entries are to be skipped."""
    from maskwatch.commands.decisions import decision_imports as imports

    settings, now = load_settings(ReportSettings), datetime.now(UTC)
    typer.echo(imports.import_decisions(settings, file, reason, now, skip_broken=skip_broken))


def _save(
    kind: Kind,
    scope: Scope,
    value: str,
    reason: str,
    end: datetime,
    family: int | None,
    *,
    force: bool,
) -> None:
    from maskwatch.commands.decisions import decision_changes as changes

    now = datetime.now(UTC)
    new = changes.build_decision(kind, scope, value, reason, end, now, family)
    typer.echo(changes.save_decision(load_settings(ReportSettings), new, now, force=force))


def _read_end(span: str | None, until: str | None, usual: str) -> datetime:
    from maskwatch.commands import time_arguments

    now = datetime.now(UTC)
    if until is None:
        return time_arguments.read_end(span or usual, now)
    if span is not None:
        raise typer.BadParameter("Say how long (--for) or until when (--until), not both.")
    return time_arguments.read_time(until, now)
