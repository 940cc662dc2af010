"""The command ``maskwatch doctor``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from itertools import chain
from typing import Annotated

import typer

from store.settings import load_settings


def doctor(
    send: Annotated[
        bool, typer.Option("--send", help="Send a test mail to each receiver of alerts, too.")
    ] = False,
) -> None:
    """Look at what this machine offers and what stands in the way of a start."""
    from inference.settings import ProxySettings
    from maskwatch.commands.checks import State
    from maskwatch.commands.machine.doctor import examine_machine

    checks = examine_machine(load_settings(ProxySettings))
    if send:
        from jobs.settings import JobSettings
        from maskwatch.commands.machine.mail_check import check_mail

        checks = chain(checks, check_mail(load_settings(JobSettings), datetime.now(UTC)))
    has_failed = False
    for check in checks:
        has_failed = has_failed or check.state is State.FAIL
        typer.echo(check.to_text())
    if has_failed:
        raise typer.Exit(1)
