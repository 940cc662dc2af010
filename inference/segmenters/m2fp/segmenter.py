"""M2FP at work."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import structlog
import torch
from torch import Tensor

from detectors.label_lists import LABEL_LISTS, label_words
from detectors.parsing import Image, Parsing
from detectors.parts import unknown_labels
from inference.segmenters.choice import Precision
from inference.segmenters.m2fp.configuration import (
    CONFIGURATION,
    M2FPConfiguration,
    read_configuration,
)
from inference.segmenters.m2fp.deformable import Shapes
from inference.segmenters.m2fp.masks import (
    Drawing,
    class_probabilities,
    draw_several,
    draw_single,
)
from inference.segmenters.m2fp.network import build_network, prepare_network, take_weights
from inference.segmenters.m2fp.pixel_decoder import Places, places_of, pyramid
from inference.segmenters.m2fp.precision import format_of
from inference.segmenters.m2fp.predictor import Queries, predict
from inference.segmenters.m2fp.preparation import (
    SHORT_SIDE,
    Frame,
    frame_of_several,
    frame_of_single,
    prepare,
)
from inference.segmenters.m2fp.tensors import load_tensors
from inference.supply.errors import ModelError
from inference.supply.verified import VerifiedModel

_log = structlog.get_logger(__name__)
_WEIGHTS = ("model.safetensors", "pytorch_model.pt")
# So many input pixels go through the network at once: five looks at two fifths of the full size.
_BATCH_PIXELS = 600_000


class M2FPSegmenter:
    """ModelScope's M2FP; see :class:`inference.segmenters.base.Segmenter`."""

    name = "m2fp"

    def __init__(
        self,
        network: Any,
        configuration: M2FPConfiguration,
        labels: tuple[str, ...],
        digest: str,
        device: torch.device,
        precision: torch.dtype,
        short_side: int,
    ) -> None:
        self.digest = digest
        self._zoom = short_side / SHORT_SIDE
        self.labels = labels
        self._configuration = configuration
        self._network = prepare_network(network, device, precision)
        self._device, self._precision = device, precision
        self._places = lru_cache(maxsize=32)(self._places_of)

    @classmethod
    def load(
        cls,
        model: VerifiedModel,
        device: torch.device,
        precision: Precision,
        short_side: int = SHORT_SIDE,
    ) -> "M2FPSegmenter":
        """Build the network of a verified model folder.

        Args:
            short_side: of the pictures that a model for several persons sees, in pixels.

        Raises:
            ModelError: a file is missing, damaged, or does not fit the others; it is named.
        """
        path = str(model.path / CONFIGURATION)
        configuration = read_configuration(model.read(CONFIGURATION), path)
        labels = _translate_labels(configuration.labels, path)
        network = build_network(configuration, path)
        weights = _weights_file(model)
        take_weights(network, load_tensors(model.read(weights), weights), weights)
        number_format = format_of(precision, device)
        return cls(network, configuration, labels, model.digest, device, number_format, short_side)

    def warm_up(self) -> None:
        """Parse a blank picture: the first parse of a size prepares what later ones use."""
        self.parse(np.zeros((640, 853, 3), dtype=np.uint8))

    def parse(self, image: Image) -> Parsing:
        """Parse a picture; probabilities come at a quarter of the working size."""
        height, width = image.shape[:2]
        frame = self._frame(height, width, 1.0)
        with torch.inference_mode():
            queries = self._queries(prepare(image, frame))
            classes, masks = queries.classes[0], queries.masks[0]
            probabilities = class_probabilities(classes, masks, len(self.labels), frame)
            drawing = self._draw(classes, masks, frame, (height, width))
        return Parsing(probabilities.cpu().numpy(), drawing.label_map, self.labels, drawing.persons)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        """As many pictures at a time as one whole parse has pixels; in bfloat16 each alone.

        Another batch size takes other kernels, which add up in another order. In float32 that moves
        probabilities by 2e-5 at most, in bfloat16 by up to 0.023 (docs/decisions/0039).
        """
        height, width = pictures[0].shape[:2]
        frame = self._frame(height, width, scale)
        most = self._batch_size(frame)
        looks: list[Any] = []
        with torch.inference_mode():
            for start in range(0, len(pictures), most):
                batch = [prepare(each, frame) for each in pictures[start : start + most]]
                looks += self._looks(torch.cat(batch), frame)
        return looks

    def _batch_size(self, frame: Frame) -> int:
        if self._precision is torch.bfloat16:
            return 1
        return max(1, _BATCH_PIXELS // (frame.padded_size[0] * frame.padded_size[1]))

    def _looks(self, batch: Tensor, frame: Frame) -> Iterator[Any]:
        queries = self._queries(batch)
        for classes, masks in zip(queries.classes, queries.masks, strict=True):
            yield class_probabilities(classes, masks, len(self.labels), frame).cpu().numpy()

    def _frame(self, height: int, width: int, scale: float) -> Frame:
        target = self._configuration.input_size
        if target is None:
            return frame_of_several(height, width, scale * self._zoom)
        return frame_of_single(height, width, target, scale)

    def _queries(self, batch: Tensor) -> Queries:
        network = self._network
        features = network.backbone(batch.to(self._device, self._precision))
        half = self._precision is torch.bfloat16
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            decoder = network.sem_seg_head.pixel_decoder
            names = decoder.transformer_in_features[::-1]
            shapes = tuple(tuple(features[name].shape[-2:]) for name in names)
            maps = pyramid(decoder, features, self._places(shapes))
            return predict(network.sem_seg_head.predictor, decoder.mask_features, maps)

    def _places_of(self, shapes: Shapes) -> Places:
        return places_of(self._network.sem_seg_head.pixel_decoder, shapes, self._device)

    def _draw(self, classes: Tensor, masks: Tensor, frame: Frame, size: tuple[int, int]) -> Drawing:
        configuration = self._configuration
        if configuration.person_class is None:
            return draw_single(classes, masks, len(self.labels), frame, size)
        return draw_several(
            classes, masks, frame, size, configuration.person_class, configuration.person_threshold
        )


def _translate_labels(names: Sequence[str], path: str) -> tuple[str, ...]:
    """Label names as Maskwatch writes them; detectors have to know what they mean."""
    unknown = unknown_labels(names)
    if len(unknown) > len(names) // 2:
        raise ModelError(
            f"The label list in {path} is none of {', '.join(LABEL_LISTS)} "
            f"({', '.join(unknown[:3])} …): detectors would not know a face from a foot."
        )
    if unknown:
        _log.warning("no part group knows some labels", labels=unknown, model=path)
    return tuple(label_words(name).replace(" ", "_") for name in names)


def _weights_file(model: VerifiedModel) -> str:
    names = {file.name for file in model.files}
    for name in _WEIGHTS:
        if name in names:
            return name
    raise ModelError(
        f"The model folder {model.path} holds no weights: it needs {' or '.join(_WEIGHTS)}."
    )
