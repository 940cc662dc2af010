"""``python -m bench m2fp``."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from PIL import Image as Pillow

from bench.m2fp.contender import Build, Contender, Timing
from bench.m2fp.sides import (
    MONITORED,
    PARSE,
    half_side,
    modelscope_side,
    our_side,
    single_side,
)
from bench.report import Figures, publish
from detectors.parsing import Image, LabelMap
from inference.figures import draw_figure
from inference.segmenters.choice import Precision
from inference.segmenters.m2fp.precision import format_of
from inference.segmenters.m2fp.preparation import SHORT_SIDE
from inference.segmenters.m2fp.random_model import write_random_model

_HALF_PICTURES = 2


def measure_m2fp(data: Path, out: Path, pictures: int, rounds: int, depth: int) -> None:
    """Measure and publish."""
    images = _images(data, pictures)
    with TemporaryDirectory() as folder:
        model = str(write_random_model(Path(folder) / "model", depth=depth))
        figures = _measure(model, images, rounds)
    publish(f"M2FP, ResNet-{depth}, short side {SHORT_SIDE}", figures, out)


def _measure(model: str, images: Sequence[Image], rounds: int) -> Figures:
    theirs, ours = Contender(modelscope_side, model), Contender(our_side, model)
    sides = {"theirs": (theirs, PARSE), "ours": (ours, PARSE), "monitored": (ours, MONITORED)}
    for side, name in sides.values():
        side.work(name, images[0])
    timings: dict[str, list[Timing]] = {name: [] for name in sides}
    for turn in range(rounds * len(images)):
        # Each picture passes all sides before the next one, and no side always comes first.
        order = list(sides)[turn % len(sides) :] + list(sides)[: turn % len(sides)]
        for name in order:
            side, work = sides[name]
            timings[name].append(side.work(work, images[turn % len(images)]))
    seconds = {name: median(each.seconds for each in values) for name, values in timings.items()}
    reference = [each.label_map for each in timings["theirs"][: len(images)]]
    peaks = theirs.peak_mb(), ours.peak_mb()
    full = [each.label_map for each in timings["ours"][: len(images)]]
    auto = format_of(Precision.AUTO, torch.device("cpu"))
    if auto is not torch.float32:
        full = _answers(single_side, model, images)
    half = _answers(half_side, model, images[:_HALF_PICTURES])
    return {
        "latency_ratio": seconds["ours"] / seconds["theirs"],
        "monitored_ratio": seconds["monitored"] / seconds["theirs"],
        "peak_rss_ratio": peaks[1] / peaks[0],
        "label_agreement_float32": agreement(reference, full),
        "label_agreement_bfloat16": agreement(reference, half),
        "modelscope_seconds": seconds["theirs"],
        "parse_seconds": seconds["ours"],
        "monitored_seconds": seconds["monitored"],
        "modelscope_peak_mb": peaks[0],
        "our_peak_mb": peaks[1],
        "ran_in_bfloat16": int(auto is torch.bfloat16),
        "foreground_share": float(np.mean([each > 0 for each in reference[0]])),
        "labels_in_a_picture": median(len(np.unique(each)) for each in reference),
        "pictures": len(images),
        "rounds": rounds,
        "threads": torch.get_num_threads(),
    }


def _answers(build: Build, model: str, images: Sequence[Image]) -> list[LabelMap]:
    side = Contender(build, model)
    answers = [side.work(PARSE, image).label_map for image in images]
    side.peak_mb()
    return answers


def agreement(reference: Iterable[LabelMap], answers: Iterable[LabelMap]) -> float:
    """Share of the expected foreground that has the same label."""
    pairs = [(one, other) for one, other in zip(reference, answers, strict=False)]
    same = sum(int(((one == other) & (one > 0)).sum()) for one, other in pairs)
    return same / max(1, sum(int((one > 0).sum()) for one, _ in pairs))


def _images(data: Path, count: int) -> list[Image]:
    """Photos, or drawn figures where there are none; the short side has 640 pixels."""
    files = sorted(data.glob("*.jpg"))[:count]
    if not files:
        return [draw_figure(seed, (SHORT_SIDE, 853)).image for seed in range(count)]
    return [_resize(np.array(Pillow.open(file).convert("RGB"), dtype=np.uint8)) for file in files]


def _resize(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = SHORT_SIDE / min(height, width)
    size = (round(width * scale), round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
