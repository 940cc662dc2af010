"""The commands ``maskwatch parse`` and ``maskwatch screen``. Thin."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from detectors.verdict import Verdict
from store.settings import load_settings


def parse(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Pictures, or folders of pictures.")
    ],
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Write composite and label PNG there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Parse files as the service would; each is recorded for the client cli:local."""
    from inference.service import build_service
    from inference.settings import ServiceSettings
    from maskwatch.commands.pictures.parse_files import describe_learning, parse_file
    from maskwatch.commands.pictures.picture_files import FileProblem, find_files

    has_failed = False
    with closing(build_service(load_settings(ServiceSettings))) as service:
        for file in find_files(paths):
            try:
                line = parse_file(service, file, out_dir)
            except FileProblem as problem:
                typer.echo(f"maskwatch: {problem}", err=True)
                has_failed = True
                continue
            has_failed = has_failed or line.verdict == Verdict.REFUSE
            typer.echo(line.to_json() if as_json else line.to_text())
        if (sentence := describe_learning(service)) is not None:
            typer.echo(f"maskwatch: {sentence}", err=True)
    if has_failed:
        raise typer.Exit(1)


def screen(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Files, or folders of files.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Take files through the gate alone; nothing is parsed or recorded."""
    from inference.metrics import Metrics
    from inference.settings import ServiceSettings
    from inference.wiring import build_gate
    from maskwatch.commands.pictures.picture_files import find_files
    from maskwatch.commands.pictures.screen_files import REFUSE, screen_file

    settings = load_settings(ServiceSettings)
    has_refusal = False
    with closing(build_gate(settings, Metrics())) as gate:
        for file in find_files(paths):
            line = screen_file(gate, file, settings.gate.max_upload_bytes)
            has_refusal = has_refusal or line.outcome == REFUSE
            typer.echo(line.to_json() if as_json else line.to_text())
    if has_refusal:
        raise typer.Exit(1)
