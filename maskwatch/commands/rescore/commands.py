"""The command ``maskwatch rescore``. Thin."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from maskwatch.commands.engine_options import (
    ActorsOption,
    AddressOption,
    EngineName,
    EngineOption,
    open_engine,
)
from store.settings import load_settings


def rescore(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="2026-03-01, 2026-03-01T08:30 (UTC), 24h or 7d.")
    ],
    until: Annotated[str | None, typer.Option(help="Likewise; by default now.")] = None,
    seed: Annotated[int, typer.Option(help="What the looks are drawn with.")] = 0,
    engine: EngineOption = EngineName.LOCAL,
    address: AddressOption = None,
    actors: ActorsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Measure kept pictures again with the present model, and say what differs from the records.

    Kept pictures are small and pixelated, so that numbers differ from those of the uploads. Nothing
    is recorded.
    """
    from inference.settings import ServiceSettings
    from maskwatch.commands.rescore.comparison import Tally, to_json, to_text
    from maskwatch.commands.rescore.rescoring import open_rescoring, rescore_pictures
    from maskwatch.commands.time_arguments import read_time
    from store.engine.existing import existing_database

    settings, now, tally = load_settings(ServiceSettings), datetime.now(UTC), Tally()
    window = read_time(since, now), now if until is None else read_time(until, now)
    with (
        existing_database(settings) as database,
        open_rescoring(settings, database, seed) as work,
        open_engine(engine, address, actors, settings.store.var_dir) as chosen,
    ):
        for comparison in rescore_pictures(work, database, chosen, window, tally):
            typer.echo(to_json(comparison) if as_json else to_text(comparison))
    # Standard output is for the pictures.
    typer.echo(tally.describe(work.rescorer.segmenter.digest), err=True)
