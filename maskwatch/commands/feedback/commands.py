"""The commands ``maskwatch feedback``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings

feedback_app = typer.Typer(
    help="Feedback: confirm or dismiss a request, an outlier or a family.", no_args_is_help=True
)

_SUBJECT = typer.Argument(metavar="SUBJECT", help="A request id, or the number of a family.")
_REASON = typer.Option("--reason", help="Why; whoever reads it later wants to know.")


@feedback_app.command("confirm")
def confirm(subject: Annotated[str, _SUBJECT], reason: Annotated[str, _REASON]) -> None:
    """Say that it is an attack: outlier models and baselines learn nothing from it."""
    from maskwatch.commands.feedback import feedback_changes as changes

    settings, now = load_settings(StoreSettings), datetime.now(UTC)
    typer.echo(changes.confirm(settings, subject, reason, now))


@feedback_app.command("dismiss")
def dismiss(subject: Annotated[str, _SUBJECT], reason: Annotated[str, _REASON]) -> None:
    """Say that it is no attack: outlier models learn from it as from what passed."""
    from maskwatch.commands.feedback import feedback_changes as changes

    settings, now = load_settings(StoreSettings), datetime.now(UTC)
    typer.echo(changes.dismiss(settings, subject, reason, now))
