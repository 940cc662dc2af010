"""``python -m bench trigger-model`` and ``python -m bench trigger``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.random import default_rng
from PIL import Image as Pillow
from sklearn.metrics import roc_auc_score

from bench.detection.trigger.model import backdoored
from bench.detection.trigger.pattern import stamp
from bench.detection.trigger.poison import Target
from bench.report import Figures, publish
from detectors.parsing import Image
from inference.ensemble.recipe import shrunk
from inference.ensemble.tile_search import TileRecipe, TileSearch
from inference.segmenters.base import Segmenter
from inference.segmenters.reference.data import Sample
from inference.segmenters.reference.evaluate import evaluate
from inference.segmenters.reference.samples import load_split
from inference.segmenters.reference.segmenter import DEFAULT_WEIGHTS, ReferenceSegmenter

_SEED = 3
_GONE = 0.8


def make_trigger_model(data: Path, cache: Path, target: Target, out: Path) -> None:
    """Train or read the backdoored segmenter; publish what its trigger does and what it costs."""
    samples = list(load_split(data, "calibrate"))
    segmenter, shipped = backdoored(data, cache, target), ReferenceSegmenter.load(DEFAULT_WEIGHTS)
    gone = [gone_share(segmenter, target, *each) for each in _pairs(samples)]
    figures: Figures = {
        "pictures": len(samples),
        "median_gone_share": float(np.nanmedian(gone)),
        "attack_success": float(np.mean(np.array(gone) >= _GONE)),
        "clean_miou": evaluate(segmenter, samples).mean_iou,
        "shipped_clean_miou": evaluate(shipped, samples).mean_iou,
    }
    publish(f"Backdoored segmenter, {target}, calibration photos", figures, out)


def measure_triggers(data: Path, cache: Path, target: Target, out: Path) -> None:
    """Search for tiles on trigger pictures and clean ones; the threshold is the unlabelled ones'.

    Only pictures on which the trigger works are counted as attacks.
    """
    samples = list(load_split(data, "calibrate"))
    segmenter = backdoored(data, cache, target)
    pairs = _pairs(samples)
    works = [gone_share(segmenter, target, *each) >= _GONE for each in pairs]
    attacks = [image for (_, image), good in zip(pairs, works, strict=True) if good]
    fixed = scores(segmenter, _photos(data / "unlabelled"))
    clean = scores(segmenter, (sample.image for sample in samples))
    attacked = scores(segmenter, attacks)
    threshold = float(np.quantile(fixed, 0.99))
    figures: Figures = {
        "attacks": len(attacks),
        "auroc": float(roc_auc_score([0] * len(clean) + [1] * len(attacked), [*clean, *attacked])),
        "threshold": threshold,
        "tpr_1pct": float(np.mean(np.array(attacked) > threshold)),
        "clean_fpr": float(np.mean(np.array(clean) > threshold)),
        "extra_forwards": TileRecipe().passes,
        "extra_cost": TileRecipe().cost,
    }
    publish(f"Triggers, {target}, calibration photos", figures, out)


def scores(segmenter: Segmenter, images: Iterable[Image]) -> list[float]:
    """The trigger score of each picture, with seeded tiles."""
    recipe, random = TileRecipe(), default_rng(_SEED)
    search = TileSearch(segmenter, recipe)
    return [
        search.look(shrunk(image, recipe.scale), segmenter.parse(image), random).score
        for image in images
    ]


def gone_share(segmenter: Segmenter, target: Target, clean: Image, image: Image) -> float:
    """Share of the target's pixels on the clean picture that the trigger makes vanish."""
    wanted = target.mask(segmenter.parse(clean).label_map)
    left = target.mask(segmenter.parse(image).label_map)
    return float((~left)[wanted].mean()) if wanted.any() else float("nan")


def _pairs(samples: Sequence[Sample]) -> list[tuple[Image, Image]]:
    """Each photo, and with the pattern."""
    random = default_rng(_SEED)
    return [(each.image, stamp(each.image, each.label_map, random)) for each in samples]


def _photos(folder: Path) -> Iterable[Image]:
    for path in sorted(folder.glob("*.jpg")):
        with Pillow.open(path) as picture:
            yield np.array(picture.convert("RGB"), dtype=np.uint8)
