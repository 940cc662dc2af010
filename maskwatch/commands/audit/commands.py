"""The commands ``maskwatch audit``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings

audit_app = typer.Typer(help="The audit chain: who changed what.", no_args_is_help=True)


@audit_app.command()
def verify(
    expect: Annotated[
        str | None, typer.Option(help="A last hash that was printed earlier: is it still there?")
    ] = None,
) -> None:
    """Find changed, missing and reordered rows; keep the printed hash elsewhere."""
    from maskwatch.commands.audit import chain as audit

    wrong = False
    for line in audit.checked(load_settings(StoreSettings), expect):
        wrong = wrong or line.wrong
        print(line.text, flush=True)  # noqa: T201
    if wrong:
        raise typer.Exit(1)


@audit_app.command("list")
def list_entries(
    since: Annotated[
        str | None, typer.Option(help="2026-03-01, 2026-03-01T08:30 (UTC), 24h or 7d.")
    ] = None,
    actor: Annotated[str, typer.Option(help="The actor, or how it begins: analyst: or job:.")] = "",
    action: Annotated[str, typer.Option(help="What was done, e.g. decision_made.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List who changed what, oldest first."""
    from maskwatch.commands.audit import chain as audit
    from maskwatch.commands.time_arguments import moment
    from store.pages.audit_views import AuditFilter

    earliest = None if since is None else moment(since, datetime.now(UTC))
    if not as_json:
        print(audit.heading())  # noqa: T201
    for entry in audit.listed(
        load_settings(StoreSettings), AuditFilter(since=earliest, actor=actor, action=action)
    ):
        print(audit.to_json(entry) if as_json else audit.to_text(entry))  # noqa: T201
