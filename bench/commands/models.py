"""Segmenters and outlier models."""

from pathlib import Path
from typing import Annotated

import typer

from bench.commands.places import ANOMALY, BODYPIX, DATA, STREET
from bench.m2fp.command import measure_m2fp
from bench.outliers.command import measure_outliers
from bench.outliers.kept_figures import KeptFigures
from bench.outliers.ranking import Tables
from bench.segmenter import measure_segmenter

app = typer.Typer()


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
def outliers(
    json: Annotated[Path, typer.Option(help="Where the figures go.")],
    data: Annotated[Path, typer.Option(help="Folder with tables: npz of X and y.")] = ANOMALY,
    splits: Annotated[int, typer.Option(min=1, help="How often each table is split.")] = 5,
    only: Annotated[
        list[str] | None,
        typer.Option(help="speed, retrain, fdr, poison, scan or auroc; may be repeated."),
    ] = None,
    most: Annotated[
        int | None, typer.Option(min=100, help="Rows of each kind that are taken of a table.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps steps of poison and auroc: a stopped run goes on."),
    ] = None,
    worlds: Annotated[int, typer.Option(min=1, help="In so many each poison is tried.")] = 1,
) -> None:
    """Outlier models against PyOD's, time against scikit-learn's, the scan and its promise."""
    measure_outliers(Tables(data, splits, most), json, only or (), KeptFigures(keep), worlds)
