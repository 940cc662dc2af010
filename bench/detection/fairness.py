"""Whether the rules, and the model itself, treat people of every skin tone alike.

Persons are ordered by the typology angle of the face into thirds, the darkest first. A rule is fair
if it does not fire more often on the darkest third than on the lightest beyond what chance gives.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.detection.measure import Judges, Watch
from bench.detection.pictures.photos import Photo, load, portraits
from bench.detection.pictures.uploads import RAW, File
from bench.detection.skin_tone import angle_of_box, typology_angle
from bench.detection.statistics import fill_unmeasured
from detectors.parts import PartGroup, group_mask
from detectors.rule_book import ADVERSARIAL_PICTURE, RULES
from inference.gate.faces import FaceFinder
from inference.segmenters.base import Segmenter
from inference.segmenters.reference.labels import Label
from inference.segmenters.reference.training.data import (
    Sample,
    label_table,
    load_sample,
    names_in,
    split_names,
)

_DEFAULT = 0.005
FLAGGED = "flagged"
"""Stands for all rules that flag, among the codes of a portrait."""
_RESAMPLES, _SEED = 2000, 7
_LEAST_PIXELS = 100
_PARTS = {"face": (Label.FACE, PartGroup.FACE), "arms": (Label.ARM, PartGroup.ARMS)}
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Portrait:
    """A photo with a face, and the codes of the rules that fired on it."""

    angle: float
    codes: frozenset[str]


def fairness_figures(
    watch: Watch, data: Path, panel: Judges, segmenter: Segmenter
) -> dict[str, Any]:
    """The rates of all rules on portraits, and the recall of the model on labelled photos."""
    photos, finder = portraits(data), FaceFinder()
    angles = {photo.name: measure_angle(photo, finder) for photo in photos}
    selection = [photo for photo in photos if angles[photo.name] is not None]
    files = (File(RAW, photo.name, photo.path.read_bytes()) for photo in selection)
    seen = watch.see("portraits", files, len(selection)).entries
    accused = fill_unmeasured(panel.scores([each.features for each in seen]))
    threshold = panel.baseline.threshold(_DEFAULT)
    measured = [
        Portrait(
            angles[photo.name] or 0.0,
            frozenset(each.reasons) | ({ADVERSARIAL_PICTURE.code} if score >= threshold else set()),
        )
        for photo, each, score in zip(selection, seen, accused, strict=True)
    ]
    return {**rule_figures(measured), "recall": recall_rows(data / "parsing", segmenter.parse)}


def rule_figures(portraits_: Sequence[Portrait]) -> dict[str, Any]:
    """Each rule that fired at all, by thirds, and the largest gap: darkest minus lightest."""
    codes = {code for each in portraits_ for code in each.codes}
    rules = [_rule_row(code, portraits_) for code in _in_order(codes)]
    largest = max(rules, key=lambda row: row["gap"], default={"gap": 0.0, "low": 0.0, "high": 0.0})
    interval = {f"max_gap_{name}": largest[name] for name in ("low", "high")}
    return {"n": len(portraits_), "rules": rules, "max_gap": largest["gap"], **interval}


def _in_order(codes: Collection[str]) -> list[str]:
    return [code for code in (*(rule.code for rule in RULES), FLAGGED) if code in codes]


def _rule_row(code: str, portraits_: Sequence[Portrait]) -> dict[str, Any]:
    angles = np.array([each.angle for each in portraits_])
    fires = np.array([float(code in each.codes) for each in portraits_])
    return {"rule": code, **_gap_of_thirds(angles, fires)}


def recall_rows(folder: Path, parse: Callable[..., Any]) -> list[dict[str, Any]]:
    """Of labelled test photos: the share of labelled face and arms that the model sees."""
    table = label_table(folder)
    names = split_names(names_in(folder), "test")
    rows = [_recalls(load_sample(folder, name, table), parse) for name in names]
    kept = [row for row in rows if row is not None]
    angles = np.array([angle for angle, _ in kept])
    return [
        {"part": part, **_gap_of_thirds(angles, np.array([recalls[part] for _, recalls in kept]))}
        for part in _PARTS
    ]


def _recalls(sample: Sample, parse: Callable[..., Any]) -> tuple[float, dict[str, float]] | None:
    """The tone of a labelled face, and the recall of each part; ``None`` without a face."""
    face = sample.label_map == Label.FACE
    if face.sum() < _LEAST_PIXELS:
        return None
    parsing = parse(sample.image)
    recalls = {}
    for part, (label, group) in _PARTS.items():
        truth = sample.label_map == label
        is_large = truth.sum() >= _LEAST_PIXELS
        recalls[part] = float(group_mask(parsing, group)[truth].mean()) if is_large else np.nan
    return typology_angle(sample.image[face]), recalls


def measure_angle(photo: Photo, finder: FaceFinder) -> float | None:
    """Of the largest face that the prior sees; ``None`` without one."""
    image = load(photo)
    boxes = finder.find(image)
    return angle_of_box(image, max(boxes, key=lambda box: box.width)) if boxes else None


def _gap_of_thirds(angles: Values, values: Values) -> dict[str, Any]:
    """Means of the thirds, the darkest first; the first minus the last, bootstrapped in each."""
    order = np.argsort(angles, kind="stable")
    thirds = [part[~np.isnan(part)] for part in np.array_split(values[order], 3)]
    random = np.random.default_rng(_SEED)
    darkest, lightest = (
        part[random.integers(len(part), size=(_RESAMPLES, len(part)))].mean(axis=1)
        for part in (thirds[0], thirds[-1])
    )
    means = [float(part.mean()) for part in thirds]
    low, high = np.quantile(darkest - lightest, (0.025, 0.975))
    sizes = [len(part) for part in thirds]
    return {
        "thirds": means,
        "n": sizes,
        "gap": means[0] - means[-1],
        "low": float(low),
        "high": float(high),
    }
