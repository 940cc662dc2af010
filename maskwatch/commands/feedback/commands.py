"""The commands ``maskwatch feedback``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs.settings import JobSettings
from store.settings import StoreSettings, load_settings

feedback_app = typer.Typer(
    help="Feedback: confirm or dismiss a request, an outlier or a family; what it taught.",
    no_args_is_help=True,
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


@feedback_app.command("withdraw")
def withdraw(subject: Annotated[str, _SUBJECT], reason: Annotated[str, _REASON]) -> None:
    """Take back what was said last, as if nobody had said anything; the audit keeps it."""
    from maskwatch.commands.feedback import feedback_changes as changes

    settings, now = load_settings(StoreSettings), datetime.now(UTC)
    typer.echo(changes.withdraw(settings, subject, reason, now))


@feedback_app.command("propose")
def propose(
    most: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 20,
) -> None:
    """List the oddest requests that models learn from, for somebody to confirm or dismiss."""
    from maskwatch.commands.feedback.proposals import describe_proposals

    for line in describe_proposals(load_settings(StoreSettings), datetime.now(UTC), most):
        typer.echo(line)


@feedback_app.command("status")
def show_status() -> None:
    """Say what orders the lists, how many labels there are, and what they are worth."""
    from maskwatch.commands.detectors.reranker_views import describe_state

    for line in describe_state(load_settings(JobSettings)):
        typer.echo(line)
