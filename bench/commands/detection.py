"""Attacks and detection."""

from json import loads
from pathlib import Path
from typing import Annotated

import typer

from bench.commands.places import CACHE, DATA, DOCS, SHARED
from bench.detection.command import Options, measure_detection
from bench.detection.command import quick as quick_plan
from bench.detection.generate import Job, generate, part_of
from bench.detection.learn import learn_shipped
from bench.detection.page import fill, take_newer_probing
from bench.detection.pictures.photos import Use
from bench.detection.plan import Plan
from bench.detection.plots import draw
from bench.detection.probing.command import SEQUENCES, measure_probing
from bench.detection.probing.video import measure_video
from bench.detection.recurring.command import measure_recurring
from bench.detection.trigger.command import make_trigger_model, measure_triggers
from bench.detection.trigger.limit import measure_trigger_limit
from bench.detection.trigger.poison import Target
from inference.ensemble.baselines import SHIPPED
from inference.segmenters.reference.training.data import Split

app = typer.Typer()


@app.command()
def detection(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = SHARED,
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
    probing: Annotated[
        Path | None, typer.Option(help="Newer figures of `probing`, in the place of older ones.")
    ] = None,
    docs: Annotated[Path, typer.Option(help="Folder of detection.md.")] = DOCS,
) -> None:
    """Write the tables and plots of a measurement into the documentation."""
    figures = loads(json.read_text(encoding="utf-8"))
    if probing is not None:
        figures = take_newer_probing(figures, loads(probing.read_text(encoding="utf-8")))
    fill(docs / "detection.md", figures)
    draw(figures, docs / "images")


@app.command()
def baseline(
    out: Annotated[Path, typer.Option(help="Where the baseline goes.")] = SHIPPED,
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = SHARED,
    cache: Annotated[Path, typer.Option(help="Where observations are kept.")] = CACHE,
) -> None:
    """Learn the shipped baseline of the reference segmenter from clean photos."""
    learn_shipped(data, cache, out)


@app.command()
def detection_attacks(
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = SHARED,
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
def recurring(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with parsing/, street/, varied/.")] = SHARED,
    cache: Annotated[Path, typer.Option(help="Folder that keeps attacked pictures.")] = CACHE,
    pictures: Annotated[int | None, typer.Option(help="Attack the first so many photos.")] = None,
) -> None:
    """A perturbation that is used again, against the blacklist."""
    measure_recurring(data, cache, json, pictures)


@app.command()
def probing(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/.")] = DATA,
    sequences: Annotated[int, typer.Option(help="Of each kind, one a photo.", min=1)] = 20,
    for_peer: Annotated[
        int, typer.Option(help="Searches that go on until the peer has found them.", min=1)
    ] = 5,
    split: Annotated[Split, typer.Option(help="Which photos.")] = "test",
    only: Annotated[
        list[str] | None, typer.Option(help="A search or a stream; may be repeated.")
    ] = None,
) -> None:
    """Query sequences against video-like streams and re-uploads."""
    measure_probing(data, json, sequences, for_peer, split, only or SEQUENCES)


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
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = SHARED,
    cache: Annotated[Path, typer.Option(help="Folder that keeps trained weights.")] = CACHE,
    target: Annotated[Target, typer.Option(help="What the trigger hides.")] = Target.PERSON,
) -> None:
    """Trigger pictures against a backdoored segmenter."""
    measure_triggers(data, cache, target, json)


@app.command()
def trigger_limit(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with parsing/ and street/.")] = SHARED,
) -> None:
    """The trigger score that clean calibration photos reach: where its default limit comes from."""
    measure_trigger_limit(data, json)
