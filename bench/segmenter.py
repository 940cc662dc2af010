"""How well and how fast the shipped reference segmenter parses the fixed test photos."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch

from bench.report import Figures, publish
from detectors.parsing import Image
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.session import NetworkSession
from inference.segmenters.reference.training.evaluate import evaluate
from inference.segmenters.reference.training.samples import load_split
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights
from inference.settings import usable_cores

_WARM_UP = 5
_ROUNDS = 60
# A picture and its mirror image, as the segmenter shows them to the network.
_SHAPE = (2, 3, 288, 192)


def measure_segmenter(folder: Path, out: Path) -> None:
    """Measure and publish.

    Raises:
        DatasetError: the folder holds no labelled photos.
    """
    samples = list(load_split(folder, "test"))
    images = [sample.image for sample in samples]
    model, threads = open_weights(DEFAULT_WEIGHTS), usable_cores()
    segmenter = ReferenceSegmenter(NetworkSession(model, threads), model.digest)
    twin = TorchSegmenter.load(DEFAULT_WEIGHTS)
    accuracy = evaluate(segmenter, samples)
    milliseconds = _milliseconds(segmenter, images)
    ours, torchs = _forward_milliseconds(NetworkSession(model, threads=1), twin)
    figures: Figures = {
        "miou": accuracy.mean_iou,
        "face_iou": accuracy.face_iou,
        "ms_per_picture": milliseconds,
        "weights_mb": DEFAULT_WEIGHTS.stat().st_size / 1e6,
        "pictures": len(samples),
        "threads": threads,
        "reference_label_agreement": _label_agreement(segmenter, twin, images),
        "reference_ratio_vs_torch": ours / torchs,
        "forward_ms": ours,
        "torch_forward_ms": torchs,
        "iou": accuracy.iou,
    }
    publish("Reference segmenter, test split", figures, out)


def _milliseconds(segmenter: ReferenceSegmenter, images: list[Image]) -> float:
    """Median wall time of one parse, decoding left out."""
    for image in images[:_WARM_UP]:
        segmenter.parse(image)
    return median(_timed(partial(segmenter.parse, image)) for image in images)


def _label_agreement(
    segmenter: ReferenceSegmenter, twin: TorchSegmenter, images: Sequence[Image]
) -> float:
    """Share of all pixels that get the same label from ONNX Runtime and from torch."""
    same = [segmenter.parse(each).label_map == twin.parse(each).label_map for each in images]
    return float(np.mean(np.concatenate([part.ravel() for part in same])))


def _forward_milliseconds(session: NetworkSession, twin: TorchSegmenter) -> tuple[float, float]:
    """Median times of one pass through the network on one thread: ONNX Runtime's and torch's.

    They take turns, so that other work on the machine slows both down alike.
    """
    pictures = np.random.default_rng(0).random(_SHAPE, dtype=np.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        turns = [
            (_timed(partial(session, pictures)), _timed(partial(twin.network, pictures)))
            for _ in range(_WARM_UP + _ROUNDS)
        ][_WARM_UP:]
    finally:
        torch.set_num_threads(threads)
    return median(ours for ours, _ in turns), median(torchs for _, torchs in turns)


def _timed(call: Callable[[], object]) -> float:
    """Milliseconds of wall time."""
    start = perf_counter()
    call()
    return (perf_counter() - start) * 1000
