"""How well and how fast BodyPix, a network of somebody else, finds people in the test photos."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from detectors.parsing import Image
from inference.segmenters.base import Segmenter
from inference.segmenters.onnx.segmenter import load_onnx
from inference.segmenters.reference.training.data import Sample
from inference.supply.verified import open_model

DESCRIPTION = Path(__file__).parents[1] / "docs" / "examples" / "segmenters" / "bodypix.toml"
_WARM_UP = 5


def measure_bodypix(file: Path, samples: Sequence[Sample], threads: int) -> dict[str, float]:
    """Median time of a parse and mean overlap of the person; nothing where the file is not.

    Raises:
        ModelError: the file is another model.
    """
    if not file.is_file():
        return {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copyfile(file, folder / "model.onnx")
        shutil.copyfile(DESCRIPTION, folder / "segmenter.toml")
        segmenter = load_onnx(open_model(folder), threads)
    images = [sample.image for sample in samples]
    return {
        "bodypix_ms_per_picture": median_milliseconds(segmenter, images),
        "bodypix_person_iou": mean(map(partial(_person_iou, segmenter), samples)),
    }


def median_milliseconds(segmenter: Segmenter, images: Sequence[Image]) -> float:
    """Median wall time of one parse, decoding left out."""
    for image in images[:_WARM_UP]:
        segmenter.parse(image)
    return median(_time_parse(segmenter, image) for image in images)


def _time_parse(segmenter: Segmenter, image: Image) -> float:
    start = perf_counter()
    segmenter.parse(image)
    return 1000 * (perf_counter() - start)


def _person_iou(segmenter: Segmenter, sample: Sample) -> float:
    found, truth = segmenter.parse(sample.image).label_map > 0, sample.label_map > 0
    union = int(np.count_nonzero(found | truth))
    return int(np.count_nonzero(found & truth)) / max(1, union)
