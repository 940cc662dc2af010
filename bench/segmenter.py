"""How well and how fast the shipped reference segmenter parses the fixed test photos."""

from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from bench.report import Figures, publish
from detectors.parsing import Image
from inference.segmenters.reference.evaluate import evaluate
from inference.segmenters.reference.samples import load_split
from inference.segmenters.reference.segmenter import DEFAULT_WEIGHTS, ReferenceSegmenter

_WARM_UP = 5


def measure_segmenter(folder: Path, out: Path) -> None:
    """Measure and publish.

    Raises:
        DatasetError: the folder holds no labelled photos.
    """
    samples = list(load_split(folder, "test"))
    segmenter = ReferenceSegmenter.load(DEFAULT_WEIGHTS)
    accuracy = evaluate(segmenter, samples)
    figures: Figures = {
        "miou": accuracy.mean_iou,
        "face_iou": accuracy.face_iou,
        "ms_per_picture": _milliseconds(segmenter, [sample.image for sample in samples]),
        "weights_mb": DEFAULT_WEIGHTS.stat().st_size / 1e6,
        "pictures": len(samples),
        "threads": torch.get_num_threads(),
        "iou": accuracy.iou,
    }
    publish("Reference segmenter, test split", figures, out)


def _milliseconds(segmenter: ReferenceSegmenter, images: list[Image]) -> float:
    """Median wall time of one parse, decoding left out."""
    for image in images[:_WARM_UP]:
        segmenter.parse(image)
    times = []
    for image in images:
        start = perf_counter()
        segmenter.parse(image)
        times.append((perf_counter() - start) * 1000)
    return median(times)
