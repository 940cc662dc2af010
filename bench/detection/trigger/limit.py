"""``python -m bench trigger-limit``: where normal ends for ``trigger_score``, on clean photos."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from bench.detection.measure import progress_bar
from bench.detection.pictures.photos import Use, photos
from bench.detection.pictures.uploads import File, list_traffic
from bench.detection.trigger.search import search_picture
from bench.report import publish
from detectors.baseline.baseline import tail_threshold
from inference.segmenters.base import Segmenter
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS


def measure_trigger_limit(data: Path, out: Path) -> None:
    """Search every calibration photo, as taken and after a change, with the shipped model.

    Raises:
        PhotosMissing: there are no photos.
    """
    segmenter, selection = ReferenceSegmenter.load(DEFAULT_WEIGHTS), photos(data, Use.CALIBRATE)
    files = list(list_traffic(selection))
    with progress_bar() as progress:
        scores = [score_of(segmenter, file) for file in progress.track(files)]
    publish("Trigger score of clean calibration pictures", limit_figures(scores), out)


def score_of(segmenter: Segmenter, file: File) -> float:
    """The trigger score of one upload; random numbers come from its pixels."""
    with Pillow.open(BytesIO(file.content)) as picture:
        image = np.array(picture.convert("RGB"), dtype=np.uint8)
    return search_picture(segmenter, image).score


def limit_figures(scores: Sequence[float]) -> dict[str, float]:
    """What so many clean pictures reach; beyond a tenth the tail is taken to be exponential."""
    return {
        "pictures": len(scores),
        "above_zero": int(np.count_nonzero(scores)),
        "highest": max(scores),
        "limit_1pct": tail_threshold(scores, 0.01),
        "limit_05pct": tail_threshold(scores, 0.005),
        "limit_01pct": tail_threshold(scores, 0.001),
    }
