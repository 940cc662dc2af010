"""The service, its gate and its neighbours."""

from pathlib import Path
from typing import Annotated

import typer

from bench.attach.command import measure_attach
from bench.commands.places import CACHE, HOSTILE, SHARED
from bench.evening.command import measure_evening
from bench.evening.scan.command import ScanOptions
from bench.footprint.command import measure_footprint
from bench.gate.command import measure_gate
from bench.gate.one_client import measure_one_client
from bench.gate.stalls import publish_stalls
from bench.neighbours.command import measure_neighbours
from bench.report import publish
from bench.serve.command import measure_serve

app = typer.Typer()


@app.command()
def gate(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with hostile files.")] = HOSTILE,
    mutations: Annotated[int, typer.Option(help="Mutations of valid files.")] = 20_000,
    flood_seconds: Annotated[float, typer.Option(help="Length of the flood.")] = 60.0,
    only: Annotated[list[str] | None, typer.Option(help="A part; may be repeated.")] = None,
) -> None:
    """The gate: its cost, hostile files and senders, mutations, a flood; about ten minutes."""
    measure_gate(data, json, mutations, flood_seconds, only or ())


@app.command()
def one_client(json: Annotated[Path, typer.Option(help="Where the figures go.")]) -> None:
    """One slow hostile client beside honest uploads: a part of `gate`, in about a minute."""
    publish("One hostile client", measure_one_client(), json)


@app.command()
def stalls(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    seconds: Annotated[float, typer.Option(help="How long each kind of sender sends.")] = 6.0,
) -> None:
    """How long one hostile sender keeps the others waiting; a part of `gate`, in a minute."""
    publish_stalls(json, seconds)


@app.command()
def serve(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and varied/.")] = SHARED,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that a median is taken of.")] = 5,
) -> None:
    """What a picture costs in the service, beside a bare loop of decode, parse and encode."""
    measure_serve(data, json, rounds)


@app.command()
def footprint(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that a median is taken of.")] = 5,
    install: Annotated[
        bool, typer.Option("--install", help="Also install the base profile anew, and measure it.")
    ] = False,
) -> None:
    """Memory of every process, and seconds until help and service are there; needs Chromium."""
    measure_footprint(json, rounds, install=install)


@app.command()
def attach(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that the sides take turns in.")] = 5,
) -> None:
    """What relay and proxy add in front of an upstream, beside nginx, and how reports are taken."""
    measure_attach(json, rounds)


@app.command()
def neighbours(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with hostile files.")] = HOSTILE,
    seconds: Annotated[float, typer.Option(help="Behind PgBouncer, twice.", min=0)] = 60.0,
    restarts: Annotated[int, typer.Option(help="Of PostgreSQL.", min=1)] = 8,
    only: Annotated[list[str] | None, typer.Option(help="A part; may be repeated.")] = None,
) -> None:
    """Real neighbours for longer than a test: nginx, mail, PgBouncer, PostgreSQL, the clock."""
    measure_neighbours(data, json, seconds, restarts, only or ())


@app.command()
def evening(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with all the photos.")] = SHARED,
    cache: Annotated[Path, typer.Option(help="Where pictures and records are kept.")] = CACHE,
    requests: Annotated[int, typer.Option(help="Honest ones of the scan.", min=40)] = 1_200,
    earlier: Annotated[int, typer.Option(help="Of these, before the evening.", min=30)] = 600,
    draw: Annotated[int, typer.Option(help="0: the first pictures of each attack.", min=0)] = 0,
    backdoor: Annotated[
        bool, typer.Option(help="Scan: with triggers, on a model for them.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="play or scan; may be repeated.")] = None,
) -> None:
    """Clients and attackers: who is blocked, mailed, shown, and found by a scan; resumable."""
    scan = ScanOptions(requests, earlier, draw, backdoor)
    measure_evening(data, cache, json, scan, only or ())
