"""``python -m bench recurring``: is a perturbation that is used again found? Through the real job.

Half of the attacked pictures are sent first: those that the detector flags at its default are kept
as a service keeps them, the job looks for what recurs in them, and the other half is held against
the list that comes out. What an attacker may do to pictures is tried on a list that knows all of
the first half: what the detector never flags cannot be listed, whatever a signature would stand.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os import getloadavg
from pathlib import Path
from time import process_time
from typing import Any

import cv2
import numpy as np
import torch
from rich.console import Console

from bench.detection.attacks import ATTACKS
from bench.detection.kept_records import kept_records
from bench.detection.measure import progress_bar
from bench.detection.observe import Observer, observer
from bench.detection.pictures.cache import Cache, png_of, write
from bench.detection.pictures.photos import Photo, Use, list_varied, load, photos
from bench.detection.pictures.workshop import Workshop
from bench.detection.recurring.changes import CHANGES
from bench.report import rows_table
from detectors.baseline.baseline import Baseline
from detectors.findings import Finding, Place
from detectors.parsing import Image
from detectors.perturbations.perturbation_match import PerturbationMatcher
from detectors.perturbations.residuals import residual_of, spectrum_of
from detectors.rule_book import ADVERSARIAL_PICTURE
from inference.ensemble.baselines import SHIPPED, read_baseline
from inference.machine.allocator import keep_pages
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from jobs.blocking.find_perturbations import run
from jobs.blocking.suspects import NothingToCompare
from store.decisions.pictures.listed_perturbations import PERTURBATIONS, ListedPerturbation

_ATTACKS = ("universal", "universal_low_frequency", "transferred_e8")
# What a service accuses at, unless it is set otherwise.
_DEFAULT = 0.005
_COLUMNS = (
    *("attack", "succeeded", "sent", "flagged", "listed", "limit"),
    *("n", "found", "found_if_all_were_flagged", "false", "clean"),
)
_SURVIVAL = ("attack", "change", "n", "found")


@dataclass(frozen=True, eq=False)
class _Setting:
    """What is measured with.

    Attributes:
        ordinary: calibration photos, of requests that passed.
        clean: photos that nothing was learnt from.
    """

    workshop: Workshop
    observer: Observer
    baseline: Baseline
    tests: Sequence[Photo]
    ordinary: Sequence[Image]
    clean: Sequence[Image]


def measure_recurring(data: Path, cache: Path, out: Path, pictures: int | None = None) -> None:
    """Measure, print the tables and write all figures.

    Args:
        pictures: how many test photos are attacked; all if ``None``.

    Raises:
        MaskwatchError: photos or the baseline are missing.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_pages()
    segmenter = TorchSegmenter.load(DEFAULT_WEIGHTS)
    with observer(cache) as watcher, progress_bar() as progress:
        setting = _Setting(
            Workshop(segmenter, Cache(cache), data),
            watcher,
            read_baseline(SHIPPED),
            photos(data, Use.TEST)[:pictures],
            [load(photo) for photo in photos(data, Use.CALIBRATE)],
            [load(photo) for photo in _list_clean(data)],
        )
        figures = [_measure_attack(name, setting) for name in progress.track(_ATTACKS)]
    survival = [row for each in figures for row in each.pop("survival")]
    Console(width=120).print(
        rows_table("Perturbations that are used again", figures, _COLUMNS),
        rows_table("The same after a change", survival, _SURVIVAL),
        f"Load: {getloadavg()[0]:.1f}. Times are processor time.",
    )
    result = {"rows": figures, "survival": survival, "look_ms": _look_ms(setting.clean)}
    write(out, (json.dumps(result, indent=1) + "\n").encode())


def _list_clean(data: Path) -> list[Photo]:
    uses = (Use.TEST, Use.TEST_CLEAN, Use.OTHER_CAMERAS, Use.PERSON_FREE)
    return [photo for use in uses for photo in photos(data, use)] + list_varied(data)


def _measure_attack(name: str, setting: _Setting) -> dict[str, Any]:
    attempts = [
        setting.workshop.craft_picture(ATTACKS[name], load(photo)) for photo in setting.tests
    ]
    attacked = [each.image() for each in attempts if each.facts.succeeded]
    first, later = attacked[::2], attacked[1::2]
    flagged = [image for image in first if _is_flagged(image, setting)]
    listed = _list_perturbations(flagged, setting)
    known = _list_perturbations(first, setting)
    survival = [_survive(name, change, known, later) for change in CHANGES]
    return {
        "attack": name,
        "succeeded": len(attacked),
        "sent": len(first),
        "flagged": len(flagged),
        "listed": len(listed),
        "limit": max((each.limit for each in listed), default=0.0),
        "n": len(later),
        "found": _share(_show(listed, later)),
        "found_if_all_were_flagged": survival[0]["found"],
        "false": sum(_show([*listed, *known], setting.clean)),
        "clean": len(setting.clean),
        "survival": survival,
    }


def _is_flagged(image: Image, setting: _Setting) -> bool:
    """Whether the detector alone calls it crafted, as it is shipped."""
    features = setting.observer.observe(png_of(image)).features
    return setting.baseline.cascade(features).value >= setting.baseline.threshold(_DEFAULT)


def _list_perturbations(
    flagged: Sequence[Image], setting: _Setting
) -> tuple[ListedPerturbation, ...]:
    """What the job puts on the list."""
    segmenter = setting.workshop.segmenter
    with kept_records() as records:
        for image in flagged:
            whole = Place(0, 0, image.shape[1], image.shape[0])
            records.add(segmenter, image, Finding(ADVERSARIAL_PICTURE, {}, (whole,)))
        for image in setting.ordinary:
            records.add(segmenter, image)
        try:
            run(records.context)
        except NothingToCompare:
            return ()
        with records.context.database.read() as session:
            return PERTURBATIONS.read_blocked(session, records.context.now)


def _survive(
    attack: str, change: str, listed: Sequence[ListedPerturbation], images: Sequence[Image]
) -> dict[str, Any]:
    changed = [CHANGES[change](image) for image in images]
    found = _share(_show(listed, changed))
    return {"attack": attack, "change": change, "n": len(images), "found": found}


def _share(matches: Sequence[bool]) -> float:
    return float(np.mean(matches)) if matches else 0.0


def _show(listed: Sequence[ListedPerturbation], images: Sequence[Image]) -> list[bool]:
    """Whether each picture shows a listed perturbation."""
    matchers = [(PerturbationMatcher(each.subject), each.limit) for each in listed]
    spectra = (spectrum_of(residual_of(image)) for image in images)
    return [
        any(matcher.look(spectrum) >= limit for matcher, limit in matchers) for spectrum in spectra
    ]


def _look_ms(images: Sequence[Image]) -> float:
    """Median processor time of the spectrum of a picture, in milliseconds."""
    times = []
    for image in images:
        start = process_time()
        spectrum_of(residual_of(image))
        times.append((process_time() - start) * 1000)
    return float(np.median(times))
