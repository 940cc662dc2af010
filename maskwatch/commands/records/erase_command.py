"""The command ``maskwatch erase``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings


def erase(
    request: Annotated[str | None, typer.Option(help="Id of one request.")] = None,
    client: Annotated[
        str | None, typer.Option(help="A client, as records name it: ip:203.0.113.7, key:acme.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only count what would go.")] = False,
) -> None:
    """Erase everything that names a request or a client, for a data-protection request."""
    from maskwatch.commands.records import erasure
    from store.audit.actors import operator
    from store.keeping.erasure import Subject

    if (request is None) == (client is None):
        raise typer.BadParameter("Give either --request ID or --client NAME.")
    subject, settings = Subject(request, client), load_settings(StoreSettings)
    if dry_run:
        lines = erasure.would_erase(subject, erasure.look(settings, subject))
    else:
        report = erasure.erase(settings, subject, operator(), datetime.now(UTC))
        lines = erasure.erased(subject, report)
    for line in lines:
        print(line)  # noqa: T201
