"""``python -m bench NAME``: one measurement."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.detection.probing.command import measure_probing
from bench.gate.command import measure_gate
from bench.m2fp.command import measure_m2fp
from bench.segmenter import measure_segmenter
from detectors.errors import MaskwatchError
from inference.segmenters.reference.data import Split

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_SHARED = Path("..") / "shared" / "data"
DATA, HOSTILE, STREET = _SHARED / "parsing", _SHARED / "hostile", _SHARED / "street" / "people"


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
def probing(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/.")] = DATA,
    sequences: Annotated[int, typer.Option(help="Of each kind, one a photo.", min=1)] = 20,
    for_peer: Annotated[
        int, typer.Option(help="Searches that go on until the peer has found them.", min=1)
    ] = 5,
    split: Annotated[Split, typer.Option(help="Which photos.")] = "test",
) -> None:
    """Query sequences against video-like streams and re-uploads."""
    measure_probing(data, json, sequences, for_peer, split)


if __name__ == "__main__":
    try:
        app()
    except MaskwatchError as error:
        sys.exit(f"bench: {error}")
