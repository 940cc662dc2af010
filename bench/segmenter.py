"""How well and how fast the shipped segmenter parses the fixed test photos, and a foreign one."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch

from bench.foreign_segmenter import measure_bodypix, median_milliseconds
from bench.report import Figures, publish
from detectors.parsing import Image
from inference.admission.admission_settings import usable_cores
from inference.segmenters.reference.segmenter import Floats, ReferenceSegmenter
from inference.segmenters.reference.session import NetworkSession
from inference.segmenters.reference.training.evaluate import evaluate
from inference.segmenters.reference.training.samples import load_split
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights

_WARM_UP = 5
_ROUNDS, _PASSES = 5, 40
# A picture and its mirror image, as the segmenter shows them to the network.
_SHAPE = (2, 3, 288, 192)


def measure_segmenter(folder: Path, bodypix: Path, out: Path) -> None:
    """Measure and publish.

    Args:
        bodypix: ONNX file of a foreign network, which is measured as well if it is there.

    Raises:
        DatasetError: the folder holds no labelled photos.
    """
    samples = list(load_split(folder, "test"))
    images = [sample.image for sample in samples]
    model, threads = open_weights(DEFAULT_WEIGHTS), usable_cores()
    segmenter = ReferenceSegmenter(NetworkSession(model, threads), model.digest)
    twin = TorchSegmenter.load(DEFAULT_WEIGHTS)
    accuracy = evaluate(segmenter, samples)
    milliseconds = median_milliseconds(segmenter, images)
    ours, torchs = _forward_milliseconds()
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
        **measure_bodypix(bodypix, samples, threads),
        "iou": accuracy.iou,
    }
    publish("Reference segmenter, test split", figures, out)


def _label_agreement(
    segmenter: ReferenceSegmenter, twin: TorchSegmenter, images: Sequence[Image]
) -> float:
    """Share of all pixels that get the same label from ONNX Runtime and from torch."""
    same = [segmenter.parse(each).label_map == twin.parse(each).label_map for each in images]
    return float(np.mean(np.concatenate([part.ravel() for part in same])))


def _forward_milliseconds() -> tuple[float, float]:
    """Medians over rounds of one pass through the network: ONNX Runtime's and torch's.

    They take turns, each time in a process of its own: torch asks the kernel for memory in every
    pass, and what else a process did before decides how much of that it is spared.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        rounds = [
            (pool.submit(_on_runtime).result(), pool.submit(_on_torch).result())
            for _ in range(_ROUNDS)
        ]
    return median(ours for ours, _ in rounds), median(torchs for _, torchs in rounds)


def _on_runtime() -> float:
    return _pass_milliseconds(NetworkSession(open_weights(DEFAULT_WEIGHTS), threads=1))


def _on_torch() -> float:
    torch.set_num_threads(1)
    return _pass_milliseconds(TorchSegmenter.load(DEFAULT_WEIGHTS).network)


def _pass_milliseconds(network: Callable[[Floats], Floats]) -> float:
    """Median of one pass on one thread."""
    pictures = np.random.default_rng(0).random(_SHAPE, dtype=np.float32)
    for _ in range(_WARM_UP):
        network(pictures)
    return median(_time_call(partial(network, pictures)) for _ in range(_PASSES))


def _time_call(call: Callable[[], object]) -> float:
    """Milliseconds of wall time."""
    start = perf_counter()
    call()
    return (perf_counter() - start) * 1000
