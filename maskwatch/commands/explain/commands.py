"""The command ``maskwatch explain``. Thin."""

from pathlib import Path
from typing import Annotated

import typer

from store.settings import load_settings


def explain(
    subject: Annotated[
        str, typer.Argument(metavar="REQUEST_ID|FILE", help="A request, or a picture.")
    ],
    picture: Annotated[
        Path | None,
        typer.Option(help="The file that a request sent: its looks are taken again."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what led to a verdict; looks at a file are those that the service takes.

    A file gets every look, whatever it costs. Nothing is recorded.
    """
    from contextlib import closing

    from inference.service import build_service
    from inference.settings import ServiceSettings
    from maskwatch.commands.explain.explain_file import explain_file
    from maskwatch.commands.explain.explain_request import explain_request, read_request
    from store.engine.existing import existing_database

    settings = load_settings(ServiceSettings)
    file = Path(subject) if picture is None else picture
    is_file = Path(subject).is_file()
    with existing_database(settings) as database:
        request = None if is_file else read_request(database, subject)
        if request is not None and picture is None:
            explanation = explain_request(database, request, settings)
            typer.echo(explanation.to_json() if as_json else explanation.to_text())
            return
    with closing(build_service(settings)) as service:
        explanation = explain_file(service, file, request)
        typer.echo(explanation.to_json() if as_json else explanation.to_text())
