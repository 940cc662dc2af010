"""``python -m bench trigger-limit``: where normal ends for ``trigger_score``, on clean photos."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.random import default_rng
from PIL import Image as Pillow

from bench.detection.measure import progress_bar
from bench.detection.pictures import Use, photos
from bench.detection.uploads import File, as_traffic
from bench.report import publish
from detectors.baseline import tail_threshold
from inference.ensemble.recipe import shrunk
from inference.ensemble.tile_search import TileRecipe, TileSearch
from inference.segmenters.base import Segmenter
from inference.segmenters.reference.segmenter import DEFAULT_WEIGHTS, ReferenceSegmenter


def measure_trigger_limit(data: Path, out: Path) -> None:
    """Search every calibration photo, as taken and after a change, with the shipped model.

    Raises:
        PhotosMissing: there are no photos.
    """
    segmenter, chosen = ReferenceSegmenter.load(DEFAULT_WEIGHTS), photos(data, Use.CALIBRATE)
    files = list(as_traffic(chosen))
    with progress_bar() as progress:
        scores = [score_of(segmenter, file) for file in progress.track(files)]
    publish("Trigger score of clean calibration pictures", limit_figures(scores), out)


def score_of(segmenter: Segmenter, file: File) -> float:
    """The trigger score of one upload; random numbers come from its pixels."""
    with Pillow.open(BytesIO(file.content)) as picture:
        image = np.array(picture.convert("RGB"), dtype=np.uint8)
    recipe, random = TileRecipe(), default_rng(crc32(image.tobytes()))
    search = TileSearch(segmenter, recipe)
    return search.look(shrunk(image, recipe.scale), segmenter.parse(image), random).score


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
