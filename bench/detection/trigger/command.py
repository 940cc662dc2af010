"""``python -m bench trigger-model`` and ``python -m bench trigger``."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from time import perf_counter
from typing import Any
from zlib import crc32

import numpy as np
from numpy.random import default_rng

from bench.detection.pictures.photos import Use, load, photos
from bench.detection.statistics import auroc, interval, rate
from bench.detection.trigger.listing import listing_figures
from bench.detection.trigger.model import open_backdoor
from bench.detection.trigger.pattern import stamp
from bench.detection.trigger.poison import Target
from bench.detection.trigger.printed import MIN_LOSS, TRIGGER, measure_loss
from bench.report import Figures, publish
from detectors.baseline.baseline import tail_threshold
from detectors.model_features import model_features
from detectors.parsing import Image
from inference.ensemble.first_look import FirstLook
from inference.ensemble.recipe import shrunk
from inference.ensemble.tile_search import TileRecipe, TileSearch
from inference.segmenters.base import Segmenter
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.data import Sample
from inference.segmenters.reference.training.evaluate import evaluate
from inference.segmenters.reference.training.samples import load_split
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

_SEED = 3
OURS = "trigger_score"
PEERS = ("return_share_alone", "pixel_entropy", "jpeg_divergence")


def make_trigger_model(data: Path, cache: Path, target: Target, out: Path) -> None:
    """Train or read the backdoored segmenter; publish what its trigger does and what it costs."""
    samples = list(load_split(data, "calibrate"))
    segmenter, reference = (
        open_backdoor(data, cache, target),
        ReferenceSegmenter.load(DEFAULT_WEIGHTS),
    )
    shares = [measure_loss(segmenter, target, *each) for each in _pairs(samples)]
    figures: Figures = {
        "pictures": len(samples),
        "median_gone_share": float(np.nanmedian(shares)),
        "attack_success": float(np.mean(np.array(shares) >= MIN_LOSS)),
        "clean_miou": evaluate(segmenter, samples).mean_iou,
        "shipped_clean_miou": evaluate(reference, samples).mean_iou,
    }
    publish(f"Backdoored segmenter, {target}, calibration photos", figures, out)


def measure_triggers(data: Path, cache: Path, target: Target, out: Path) -> None:
    """Measure and publish; ``data`` is the folder that holds ``parsing/``."""
    figures = trigger_figures(data, cache, target)
    row = {k: v for k, v in figures["row"].items() if not isinstance(v, str)}
    publish(f"Triggers, {target}", {**row, "patch_list": figures["patch_list"]}, out)


def trigger_figures(data: Path, cache: Path, target: Target) -> dict[str, Any]:
    """The row ``trigger`` of the protocol, and what the blacklist makes of the same pictures.

    Only pictures on which the trigger works are counted as attacks.
    """
    segmenter = open_backdoor(data / "parsing", cache, target)
    samples = list(load_split(data / "parsing", "test"))
    attacks = [
        image
        for clean, image in _pairs(samples)
        if measure_loss(segmenter, target, clean, image) >= MIN_LOSS
    ]
    return {
        "row": _row(data, segmenter, samples, attacks),
        "patch_list": listing_figures(segmenter, attacks, data),
    }


def _row(
    data: Path, segmenter: Segmenter, samples: Sequence[Sample], attacks: Sequence[Image]
) -> dict[str, Any]:
    """Test photos; the threshold comes from other clean photos."""
    reference = [load(photo) for photo in photos(data, Use.CALIBRATE)]
    sets = {"fixed": reference, "clean": [each.image for each in samples], "attacked": attacks}
    measures = {
        name: [measure_picture(segmenter, image) for image in images]
        for name, images in sets.items()
    }
    ours = {name: np.array([each[OURS] for each in rows]) for name, rows in measures.items()}
    threshold = tail_threshold(ours["fixed"], 0.01)
    bounds = interval(ours["attacked"], threshold)
    peers = {name: _peer_rate(measures, name, "attacked") for name in PEERS}
    best = max(peers, key=lambda name: peers[name])
    return {
        "attack": TRIGGER,
        "n": len(attacks),
        "tried": len(samples),
        "auroc": auroc(ours["clean"], ours["attacked"]),
        "tpr_1pct": rate(ours["attacked"], threshold),
        "tpr_01pct": rate(ours["attacked"], tail_threshold(ours["fixed"], 0.001)),
        "ci_low": bounds.low,
        "ci_high": bounds.high,
        "best_peer": best,
        "best_peer_tpr_1pct": peers[best],
        "extra_forwards": float(np.mean([each["looks"] for each in measures["attacked"]])),
        "extra_ms": float(np.median([each["ms"] for each in measures["attacked"]])),
        "clean_fpr": rate(ours["clean"], threshold),
        "threshold": threshold,
        "peers": peers,
        "peers_clean_fpr": {name: _peer_rate(measures, name, "clean") for name in PEERS},
    }


def measure_picture(segmenter: Segmenter, image: Image) -> dict[str, float]:
    """Our score of one picture, with tiles seeded by the picture, and those of the peers."""
    recipe, random = TileRecipe(), default_rng(crc32(image.tobytes()))
    parsing = segmenter.parse(image)
    contrast = FirstLook().look(segmenter, image, parsing, random)
    start = perf_counter()
    suspect = TileSearch(segmenter, recipe).look(shrunk(image, recipe.scale), parsing, random)
    return {
        OURS: suspect.score,
        "return_share_alone": suspect.features()["trigger_return_share"],
        "pixel_entropy": or_zero(model_features(parsing)["entropy_foreground"]),
        "jpeg_divergence": contrast.features("glance")["glance_divergence"],
        "looks": float(suspect.looks),
        "ms": (perf_counter() - start) * 1000,
    }


def or_zero(value: float) -> float:
    """Zero where nothing was measured."""
    return 0.0 if isnan(value) else value


def _peer_rate(
    measures: Mapping[str, Sequence[Mapping[str, float]]], name: str, pictures: str
) -> float:
    """How many of these a peer calls triggered, at a threshold fixed as ours is."""
    reference = np.array([each[name] for each in measures["fixed"]])
    return rate(
        np.array([each[name] for each in measures[pictures]]), tail_threshold(reference, 0.01)
    )


def _pairs(samples: Sequence[Sample]) -> list[tuple[Image, Image]]:
    """Each photo, and with the pattern."""
    random = default_rng(_SEED)
    return [(each.image, stamp(each.image, each.label_map, random)) for each in samples]
