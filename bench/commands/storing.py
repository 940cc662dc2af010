"""Records and decisions."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.places import CACHE
from bench.decisions.command import measure_decisions
from bench.store.command import QUICK, Sizes, measure_store

app = typer.Typer()


@app.command()
def store(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    cache: Annotated[Path, typer.Option(help="Where databases with records are kept.")] = CACHE,
    records: Annotated[
        int, typer.Option(help="Records that pages are read from; 0 reads none.", min=0)
    ] = Sizes().page_records,
    kills: Annotated[int, typer.Option(help="Rounds of kill -9.", min=1)] = Sizes().kills,
    quick: Annotated[bool, typer.Option(help="Small sizes, two minutes.")] = False,
) -> None:
    """The store: ingest, latency, losses, backups, pages; twenty gigabytes of cache."""
    measure_store(cache, json, QUICK if quick else Sizes(kills=kills, page_records=records))


@app.command()
def decisions(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    number: Annotated[int, typer.Option(min=100, help="Active decisions of all scopes.")] = 100_000,
) -> None:
    """What a look-up among many decisions costs, and how soon a new one holds."""
    measure_decisions(json, number)
