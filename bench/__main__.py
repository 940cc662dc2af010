"""``python -m bench NAME``: one measurement."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.detection.trigger.command import make_trigger_model, measure_triggers
from bench.detection.trigger.poison import Target
from bench.gate.command import measure_gate
from bench.m2fp.command import measure_m2fp
from bench.segmenter import measure_segmenter
from detectors.errors import MaskwatchError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_SHARED = Path("..") / "shared" / "data"
DATA, HOSTILE, STREET = _SHARED / "parsing", _SHARED / "hostile", _SHARED / "street" / "people"

CACHE = Path(".bench")


@app.callback()
def common() -> None:
    """Measurements against peers and fixed data."""


@app.command()
def segmenter(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/.")] = DATA,
) -> None:
    """The reference segmenter on the fixed 80-photo test split."""
    measure_segmenter(data, json)


@app.command()
def m2fp(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[
        Path, typer.Option(help="Folder with photos; else figures are drawn.")
    ] = STREET,
    pictures: Annotated[int, typer.Option(help="How many pictures.")] = 6,
    rounds: Annotated[int, typer.Option(help="How often each is parsed by each side.")] = 2,
    depth: Annotated[int, typer.Option(help="Of the ResNet: 50 or 101.")] = 101,
) -> None:
    """M2FP against ModelScope's own pipeline: time, memory, labels."""
    measure_m2fp(data, json, pictures, rounds, depth)


@app.command()
def gate(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with hostile files.")] = HOSTILE,
    mutations: Annotated[int, typer.Option(help="Mutations of valid files.")] = 20_000,
    flood_seconds: Annotated[float, typer.Option(help="Length of the flood.")] = 60.0,
) -> None:
    """The gate: its cost, hostile files, mutations, a flood."""
    measure_gate(data, json, mutations, flood_seconds)


@app.command()
def trigger_model(
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/.")] = DATA,
    cache: Annotated[Path, typer.Option(help="Folder that keeps trained weights.")] = CACHE,
    json: Annotated[Path, typer.Option(help="Where the figures go.")] = CACHE / "model.json",
    target: Annotated[Target, typer.Option(help="What the trigger hides.")] = Target.PERSON,
) -> None:
    """A segmenter with a backdoor: trained once, then read from the cache."""
    make_trigger_model(data, cache, target, json)


@app.command()
def trigger(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/.")] = DATA,
    cache: Annotated[Path, typer.Option(help="Folder that keeps trained weights.")] = CACHE,
    target: Annotated[Target, typer.Option(help="What the trigger hides.")] = Target.PERSON,
) -> None:
    """Trigger pictures against a backdoored segmenter."""
    measure_triggers(data, cache, target, json)


if __name__ == "__main__":
    try:
        app()
    except MaskwatchError as error:
        sys.exit(f"bench: {error}")
