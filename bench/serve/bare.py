"""The bare loop: what anybody's service has to do to answer a picture, and nothing else."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from time import perf_counter

import numpy as np
from PIL import Image as Pillow

from inference.admission.admission_settings import default_concurrency
from inference.answer.encode import label_png
from inference.machine.cores import share_cores
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.session import NetworkSession
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights


class BareLoop:
    """Decodes, parses and encodes, with the service's engine on as many threads."""

    def __init__(self) -> None:
        self._threads = default_concurrency()
        share_cores(self._threads)
        model = open_weights(DEFAULT_WEIGHTS)
        self._segmenter = ReferenceSegmenter(NetworkSession(model, threads=1), model.digest)

    def pictures_per_second(self, pictures: Sequence[bytes]) -> float:
        """How many of these it answers in a second."""
        start = perf_counter()
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(self._answer, pictures))
        return len(pictures) / (perf_counter() - start)

    def _answer(self, data: bytes) -> bytes:
        with Pillow.open(BytesIO(data)) as picture:
            image = np.asarray(picture.convert("RGB"))
        return label_png(self._segmenter.parse(image))
