"""A deployment that learns its own traffic."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.places import CACHE, DOCS, SHARED
from bench.deployment.attacked import ALL, KNOWN
from bench.deployment.command import Options as DeploymentOptions
from bench.deployment.command import (
    hostile_of,
    measure_deployment,
    measure_poison,
    publish_deployment,
)
from bench.deployment.installation import USUAL_MODELS, Model
from bench.deployment.traffic import Kind

app = typer.Typer()


def _known(names: list[str] | None) -> list[str] | None:
    for name in names or ():
        if name not in KNOWN:
            raise typer.BadParameter(f"There is no attack {name}; there are {', '.join(KNOWN)}.")
    return names


@app.command()
def deployment(  # noqa: PLR0913, PLR0917 - options of a command line
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with all the photos.")] = SHARED,
    cache: Annotated[Path, typer.Option(help="Where attacked pictures are kept.")] = CACHE,
    model: Annotated[
        list[Model] | None, typer.Option(help="Which; default: not backdoored.")
    ] = None,
    traffic: Annotated[list[Kind] | None, typer.Option(help="Which; default: both.")] = None,
    requests: Annotated[int, typer.Option(help="Clean requests.", min=1)] = 1_200,
    attacks: Annotated[int, typer.Option(help="Photos that are attacked; 0: none.", min=0)] = 0,
    hostile: Annotated[str, typer.Option(help="Share of the traffic/clients.")] = "0/1",
    only: Annotated[
        list[str] | None, typer.Option(help="An attack; may be repeated.", callback=_known)
    ] = None,
) -> None:
    """A fresh installation and its traffic: false alarms, detection and cost; resumable."""
    models, kinds = tuple(model or USUAL_MODELS), tuple(traffic or Kind)
    options = DeploymentOptions(
        data, cache, models, kinds, requests, attacks, hostile_of(hostile), tuple(only or ALL)
    )
    measure_deployment(options, json)


@app.command()
def deployment_poison(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with all the photos.")] = SHARED,
    cache: Annotated[Path, typer.Option(help="Where `deployment` kept the mixed one.")] = CACHE,
    attacks: Annotated[int, typer.Option(help="Photos that are attacked.", min=2)] = 10,
    draws: Annotated[int, typer.Option(help="Of the traffic, for each line.", min=1)] = 5,
) -> None:
    """Fourteen nights of hostile traffic, on rows of `deployment`: what the source still finds."""
    measure_poison(data, cache, attacks, draws, json)


@app.command()
def deployment_page(
    json: Annotated[list[Path], typer.Option(help="Figures of both; may be repeated.")],
    docs: Annotated[Path, typer.Option(help="Folder of deployment.md.")] = DOCS,
) -> None:
    """Put figures together, and write the tables and plots into the documentation."""
    publish_deployment(json, docs)
