"""The command ``maskwatch doctor``. Thin, as the rest of the command line."""

import typer

from store.settings import load_settings


def doctor() -> None:
    """Look at what this machine offers and what stands in the way of a start."""
    from inference.settings import ServiceSettings
    from maskwatch.commands.checks import State
    from maskwatch.commands.machine.doctor import examine_machine

    has_failed = False
    for check in examine_machine(load_settings(ServiceSettings)):
        has_failed = has_failed or check.state is State.FAIL
        typer.echo(check.to_text())
    if has_failed:
        raise typer.Exit(1)
