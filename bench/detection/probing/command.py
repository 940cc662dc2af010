"""``python -m bench probing``."""

import json
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import mean, median
from typing import Any
from zlib import crc32

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from bench.detection.pictures.cache import write
from bench.detection.probing.attacks import AS_JPEG, ATTACKS, Attack
from bench.detection.probing.runs import Run, Victim, film, run, search
from bench.detection.probing.streams import LIMITS, STREAMS, Footage, Stream
from bench.detection.probing.watched import Fingerprints, ProbedService, open_service
from bench.report import rows_table
from detectors.errors import MaskwatchError
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.data import Sample, Split
from inference.segmenters.reference.training.samples import load_split
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

QUERIES, FRAMES = 50, 60
CLIENTS = (1, 20)
SEQUENCES = (*ATTACKS, *AS_JPEG, *STREAMS, *LIMITS)
"""Names of all searches and streams."""
_SALT = b"a bench has no secrets"


class UnknownSequence(MaskwatchError):
    """A name that is none of a search or a stream."""


@dataclass(frozen=True)
class Probing:
    """How one kind of search fares.

    Attributes:
        detected: share of the sequences that are found within ``QUERIES`` queries.
        median_queries: until then, of those that are found.
        peer_n: sequences that the peer saw ``QUERIES`` queries of; the others end once we found
            them.
        peer_detected: share of these that the peer finds.
        succeeded: share of all that reached their aim before they ended.
    """

    attack: str
    clients: int
    n: int
    detected: float
    median_queries: float | None
    peer_n: int
    peer_detected: float
    succeeded: float


@dataclass(frozen=True)
class Lookalike:
    """How often one kind of stream is called a search, by us and by the peer."""

    stream: str
    n: int
    fpr: float
    peer_fpr: float


def measure_probing(
    data: Path,
    out: Path,
    sequences: int,
    for_peer: int,
    split: Split,
    only: Collection[str] = SEQUENCES,
) -> None:
    """Measure and publish.

    Args:
        only: names of the searches and streams that are run.

    Raises:
        DatasetError: the folder holds no labelled photos.
        UnknownSequence: one of the names is none of a search or a stream.
    """
    unknown = sorted(set(only) - set(SEQUENCES))
    if unknown:
        raise UnknownSequence(f"{unknown[0]!r} is none of {', '.join(SEQUENCES)}.")
    figures = probing_figures(data, sequences, for_peer, split, only)
    show(figures)
    write(out, (json.dumps(figures, indent=1) + "\n").encode())


def probing_figures(
    data: Path, sequences: int, for_peer: int, split: Split, only: Collection[str] = SEQUENCES
) -> dict[str, Any]:
    """Searches and streams, from one client and from twenty.

    Args:
        sequences: of each kind.
        for_peer: how many of the searches go on until the peer has found them too.
        only: names of the searches and streams that are run; the rates of all harmless streams are
            there only with one of these.

    Raises:
        DatasetError: the folder holds no labelled photos.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    samples = list(load_split(data, split))
    indices = np.linspace(0, len(samples) - 1, min(sequences, len(samples))).astype(int)
    photos = [samples[index] for index in indices]
    with ExitStack() as stack:
        prints = Fingerprints(_SALT)
        services = [stack.enter_context(open_service(prints, clients)) for clients in CLIENTS]
        probing = _searches(photos, services, for_peer, only)
        streams = _streams(photos, services[-1], only)
    return {
        "probing": [asdict(row) for row in probing],
        **_harmless_rates([row for row in streams if row.stream in STREAMS]),
        "streams": [asdict(row) for row in streams],
        "queries": QUERIES,
        "frames": FRAMES,
    }


def _harmless_rates(rows: Sequence[Lookalike]) -> dict[str, float]:
    if not rows:
        return {}
    return {
        "probing_fpr": mean(row.fpr for row in rows),
        "probing_peer_fpr": mean(row.peer_fpr for row in rows),
    }


def show(figures: dict[str, Any]) -> None:
    """Print the tables."""
    for title, name in (("Searches", "probing"), ("Streams and re-uploads", "streams")):
        if rows := figures[name]:
            Console().print(rows_table(title, rows, list(rows[0])))
    Console().print({name: value for name, value in figures.items() if name.endswith("fpr")})


def _searches(
    photos: Sequence[Sample],
    services: Sequence[ProbedService],
    for_peer: int,
    only: Collection[str],
) -> list[Probing]:
    segmenter = ReferenceSegmenter.load(DEFAULT_WEIGHTS)
    rows: list[Probing] = []
    for name, attack in {**ATTACKS, **AS_JPEG}.items():
        if name not in only:
            continue
        victims = [Victim(segmenter, photo.image) for photo in photos]
        runs = [
            _run_search(services, attack, victims[index], photo, peer_to_the_end=index < for_peer)
            for index, photo in track(list(enumerate(photos)), f"{name:<20}")
        ]
        success_share = mean(victim.has_succeeded for victim in victims)
        rows += [
            _probing(name, index, runs, success_share, for_peer) for index in range(len(CLIENTS))
        ]
    return rows


def _run_search(
    services: Sequence[ProbedService],
    attack: Attack,
    victim: Victim,
    photo: Sample,
    *,
    peer_to_the_end: bool,
) -> Run:
    queries = search(attack, victim, photo.image, _random(photo.name))
    return run(services, islice(queries, QUERIES), peer_to_the_end=peer_to_the_end)


def _probing(
    name: str, index: int, runs: Sequence[Run], success_share: float, for_peer: int
) -> Probing:
    numbers = [number for each in runs if (number := each.numbers[index]) is not None]
    return Probing(
        name,
        CLIENTS[index],
        len(runs),
        len(numbers) / len(runs),
        median(numbers) if numbers else None,
        len(runs[:for_peer]),
        mean(each.peer is not None for each in runs[:for_peer]),
        success_share,
    )


def _streams(
    photos: Sequence[Sample], service: ProbedService, only: Collection[str]
) -> list[Lookalike]:
    others = [*photos[1:], *photos[:1]]
    scenes = [
        Footage(photo.image, other.image, other.label_map > 0)
        for photo, other in zip(photos, others, strict=True)
    ]
    rows: list[Lookalike] = []
    for name, stream in {**STREAMS, **LIMITS}.items():
        if name not in only:
            continue
        runs = [
            _run_film(service, stream, scene, photo)
            for scene, photo in track(list(zip(scenes, photos, strict=True)), f"{name:<20}")
        ]
        rows.append(_lookalike(name, runs))
    return rows


def _run_film(service: ProbedService, stream: Stream, scene: Footage, photo: Sample) -> Run:
    frames = film(stream, scene, _random(photo.name))
    return run([service], islice(frames, FRAMES), peer_to_the_end=True)


def _lookalike(name: str, runs: Sequence[Run]) -> Lookalike:
    return Lookalike(
        name,
        len(runs),
        mean(each.numbers[0] is not None for each in runs),
        mean(each.peer is not None for each in runs),
    )


def _random(name: str) -> np.random.Generator:
    return np.random.default_rng(crc32(name.encode()))
