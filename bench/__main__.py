"""``python -m bench NAME``: one measurement."""

import sys
from json import loads
from pathlib import Path
from typing import Annotated

import typer

from bench.attach.command import measure_attach
from bench.decisions.command import measure_decisions
from bench.deployment.command import Options as DeploymentOptions
from bench.deployment.command import (
    hostile_of,
    measure_deployment,
    measure_poison,
    publish_deployment,
)
from bench.deployment.installation import Model
from bench.deployment.traffic import Kind
from bench.detection.command import Options, measure_detection
from bench.detection.command import quick as quick_plan
from bench.detection.generate import Job, generate, part_of
from bench.detection.learn import learn_shipped
from bench.detection.page import fill
from bench.detection.pictures.photos import Use
from bench.detection.plan import Plan
from bench.detection.plots import draw
from bench.detection.probing.command import measure_probing
from bench.detection.probing.video import measure_video
from bench.detection.recurring.command import measure_recurring
from bench.detection.trigger.command import make_trigger_model, measure_triggers
from bench.detection.trigger.limit import measure_trigger_limit
from bench.detection.trigger.poison import Target
from bench.evening.command import measure_evening
from bench.evening.scan.command import ScanOptions
from bench.footprint.command import measure_footprint
from bench.gate.command import measure_gate
from bench.gate.one_client import measure_one_client
from bench.gate.stalls import publish_stalls
from bench.m2fp.command import measure_m2fp
from bench.neighbours.command import measure_neighbours
from bench.outliers.command import measure_outliers
from bench.report import publish
from bench.segmenter import measure_segmenter
from bench.serve.command import measure_serve
from bench.store.command import QUICK, Sizes, measure_store
from detectors.errors import MaskwatchError
from inference.ensemble.baselines import SHIPPED
from inference.segmenters.reference.training.data import Split

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_SHARED = Path("..") / "shared" / "data"
CACHE, DOCS = (Path(__file__).parents[1] / name for name in (".bench", "docs"))
BODYPIX = _SHARED / "models" / "bodypix" / "mobilenet050-stride16.onnx"
ANOMALY = _SHARED / "anomaly"
DATA, HOSTILE, STREET = _SHARED / "parsing", _SHARED / "hostile", _SHARED / "street" / "people"


@app.callback()
def common() -> None:
    """Measurements against peers and fixed data."""


@app.command()
def segmenter(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/.")] = DATA,
    bodypix: Annotated[Path, typer.Option(help="ONNX file of BodyPix.")] = BODYPIX,
) -> None:
    """The reference segmenter on the fixed 80-photo test split, and BodyPix if it is there."""
    measure_segmenter(data, bodypix, json)


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
def detection(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = _SHARED,
    cache: Annotated[Path, typer.Option(help="Where pictures and observations are kept.")] = CACHE,
    pictures: Annotated[int | None, typer.Option(help="Attack only the first so many.")] = None,
    adaptive: Annotated[int, typer.Option(help="Photos for adaptive attackers.", min=1)] = 6,
    test_list: Annotated[
        Path | None, typer.Option(help="Photos to test on instead, one path a line.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="An attack; may be repeated.")] = None,
    quick: Annotated[bool, typer.Option(help="Three attacks on four photos.")] = False,
) -> None:
    """Attacks, controls and peers by the protocol; may be stopped and resumed."""
    plan = Plan(data, test_list, pictures, adaptive=adaptive)
    plan = quick_plan(plan) if quick else plan
    measure_detection(Options(plan, cache, quick, tuple(only or ())), json)


@app.command()
def detection_page(
    json: Annotated[Path, typer.Option(help="Figures of `detection`.")],
    docs: Annotated[Path, typer.Option(help="Folder of detection.md.")] = DOCS,
) -> None:
    """Write the tables and plots of a measurement into the documentation."""
    figures = loads(json.read_text(encoding="utf-8"))
    fill(docs / "detection.md", figures)
    draw(figures, docs / "images")


@app.command()
def baseline(
    out: Annotated[Path, typer.Option(help="Where the baseline goes.")] = SHIPPED,
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = _SHARED,
    cache: Annotated[Path, typer.Option(help="Where observations are kept.")] = CACHE,
) -> None:
    """Learn the shipped baseline of the reference segmenter from clean photos."""
    learn_shipped(data, cache, out)


@app.command()
def detection_attacks(
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = _SHARED,
    cache: Annotated[Path, typer.Option(help="Where attacked pictures are kept.")] = CACHE,
    only: Annotated[list[str] | None, typer.Option(help="An attack; may be repeated.")] = None,
    pictures: Annotated[int | None, typer.Option(help="Only the first so many photos.")] = None,
    test_list: Annotated[
        Path | None, typer.Option(help="Photos to attack instead, one path a line.")
    ] = None,
    part: Annotated[str, typer.Option(help="Share I of K of the photos, as I/K.")] = "1/1",
    use: Annotated[Use, typer.Option(help="Whose photos are attacked.")] = Use.TEST,
) -> None:
    """Craft the attacks that the measurement of detection needs; may be stopped and resumed."""
    generate(Job(data, cache, tuple(only or ()), pictures, test_list, part_of(part), use))


@app.command()
def deployment(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with all the photos.")] = _SHARED,
    cache: Annotated[Path, typer.Option(help="Where attacked pictures are kept.")] = CACHE,
    model: Annotated[list[Model] | None, typer.Option(help="Which; default: both.")] = None,
    traffic: Annotated[list[Kind] | None, typer.Option(help="Which; default: both.")] = None,
    requests: Annotated[int, typer.Option(help="Clean requests.", min=1)] = 1_200,
    attacks: Annotated[int, typer.Option(help="Photos that are attacked; 0: none.", min=0)] = 0,
    hostile: Annotated[str, typer.Option(help="Share of the traffic/clients.")] = "0/1",
) -> None:
    """A fresh installation and its traffic: false alarms, detection and cost; resumable."""
    models, kinds = tuple(model or Model), tuple(traffic or Kind)
    options = DeploymentOptions(data, cache, models, kinds, requests, attacks, hostile_of(hostile))
    measure_deployment(options, json)


@app.command()
def deployment_poison(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with all the photos.")] = _SHARED,
    cache: Annotated[Path, typer.Option(help="Where `deployment` kept the mixed one.")] = CACHE,
    attacks: Annotated[int, typer.Option(help="Photos that are attacked.", min=2)] = 10,
) -> None:
    """Fourteen nights of hostile traffic, on rows of `deployment`: what the source still finds."""
    measure_poison(data, cache, attacks, json)


@app.command()
def deployment_page(
    json: Annotated[list[Path], typer.Option(help="Figures of both; may be repeated.")],
    docs: Annotated[Path, typer.Option(help="Folder of deployment.md.")] = DOCS,
) -> None:
    """Put figures together, and write the tables and plots into the documentation."""
    publish_deployment(json, docs)


@app.command()
def outliers(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with tables: npz of X and y.")] = ANOMALY,
    splits: Annotated[int, typer.Option(min=1, help="How often each table is split.")] = 5,
    only: Annotated[
        list[str] | None,
        typer.Option(help="speed, retrain, fdr, scan or auroc; may be repeated."),
    ] = None,
    most: Annotated[
        int | None, typer.Option(min=100, help="Rows of each kind that are taken of a table.")
    ] = None,
) -> None:
    """Outlier models against PyOD's, time against scikit-learn's, the scan and its promise."""
    measure_outliers(data, json, splits, only or (), most)


@app.command()
def decisions(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    number: Annotated[int, typer.Option(min=100, help="Active decisions of all scopes.")] = 100_000,
) -> None:
    """What a look-up among many decisions costs, and how soon a new one holds."""
    measure_decisions(json, number)


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
def serve(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and varied/.")] = _SHARED,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that a median is taken of.")] = 5,
) -> None:
    """What a picture costs in the service, beside a bare loop of decode, parse and encode."""
    measure_serve(data, json, rounds)


@app.command()
def evening(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with all the photos.")] = _SHARED,
    cache: Annotated[Path, typer.Option(help="Where pictures and records are kept.")] = CACHE,
    requests: Annotated[int, typer.Option(help="Honest ones of the scan.", min=40)] = 1_200,
    earlier: Annotated[int, typer.Option(help="Of these, before the evening.", min=30)] = 600,
    only: Annotated[list[str] | None, typer.Option(help="play or scan; may be repeated.")] = None,
) -> None:
    """Clients and attackers: who is blocked, mailed, shown, and found by a scan; resumable."""
    measure_evening(data, cache, json, ScanOptions(requests, earlier), only or ())


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
def attach(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that the sides take turns in.")] = 5,
) -> None:
    """What relay and proxy add in front of an upstream, beside nginx."""
    measure_attach(json, rounds)


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


@app.command()
def video(
    clips: Annotated[Path, typer.Option(help="Folder with films, *.mp4.")],
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    frames: Annotated[int, typer.Option(help="Of each film.", min=2)] = 120,
) -> None:
    """Frames of real films, as files and as films of few bits: none of them is a search."""
    measure_video(clips, json, frames)


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
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = _SHARED,
    cache: Annotated[Path, typer.Option(help="Folder that keeps trained weights.")] = CACHE,
    target: Annotated[Target, typer.Option(help="What the trigger hides.")] = Target.PERSON,
) -> None:
    """Trigger pictures against a backdoored segmenter."""
    measure_triggers(data, cache, target, json)


@app.command()
def recurring(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with parsing/, street/, varied/.")] = _SHARED,
    cache: Annotated[Path, typer.Option(help="Folder that keeps attacked pictures.")] = CACHE,
    pictures: Annotated[int | None, typer.Option(help="Attack the first so many photos.")] = None,
) -> None:
    """A perturbation that is used again, against the blacklist."""
    measure_recurring(data, cache, json, pictures)


@app.command()
def trigger_limit(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = _SHARED,
) -> None:
    """The trigger score that clean calibration photos reach: where its default limit comes from."""
    measure_trigger_limit(data, json)


if __name__ == "__main__":
    try:
        app()
    except MaskwatchError as error:
        sys.exit(f"bench: {error}")
