"""The models of deployments with gradients: what an attacker has who holds their weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnx
import torch
from torch import Tensor
from torch.nn import functional as fn

from bench.deployment.installation import Model, copy_bodypix
from bench.deployment.onnx_on_torch import GraphOnTorch
from bench.deployment.play import Place
from detectors.parsing import Image, Parsing
from inference.segmenters.described.preparation import choose_size
from inference.segmenters.described.segmenter import DescribedSegmenter
from inference.segmenters.onnx.folder import read_folder
from inference.segmenters.reference.training.attacks import Attackable
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from inference.supply.verified import open_model


class AttackableBodyPix:
    """Answers like the model of a folder; labels are the part groups that attacks speak of."""

    name = "bodypix"

    def __init__(self, folder: Path) -> None:
        model = open_model(folder)
        files = read_folder(model)
        graph = onnx.load_from_string(files.network).graph
        outputs = [output.name for output in files.description.outputs]
        self._form = files.description.input
        self._network = GraphOnTorch(graph, outputs)
        self._segmenter = DescribedSegmenter(self.name, self._run, files.description, model.digest)
        self.digest, self.labels = model.digest, files.description.labels.parts

    def parse(self, image: Image) -> Parsing:
        """The parse of the service that is attacked."""
        return self._segmenter.parse(image)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        """Each picture alone."""
        return self._segmenter.probabilities(pictures, scale)

    def logits(self, pictures: Tensor, scale: float = 1.0) -> Tensor:
        """The background's is 0, and the likeliest part's is that of the person.

        So the largest one says what the rule of the description says.
        """
        width, height = choose_size(pictures.shape[-1], pictures.shape[-2], self._form, scale)
        small = fn.interpolate(pictures, (height, width), mode="bilinear", antialias=True)
        mean, deviation = (
            torch.tensor(values)[:, None, None]
            for values in (self._form.mean, self._form.deviation)
        )
        prepared = (small * self._form.white - mean) / deviation
        answers = self._network(prepared.permute(0, 2, 3, 1))
        person, parts = (answer.permute(0, 3, 1, 2) for answer in answers)
        known = person + parts - parts.amax(1, keepdim=True)
        return torch.cat([torch.zeros_like(person), known], dim=1)

    def _run(self, picture: npt.NDArray[Any]) -> list[Any]:
        with torch.inference_mode():
            return [answer.numpy() for answer in self._network(torch.from_numpy(picture))]


def open_target(place: Place) -> Attackable:
    """The model of a deployment, for somebody who has its weights."""
    if place.model is Model.BODYPIX:
        return AttackableBodyPix(copy_bodypix(place.data, place.folder / "target"))
    return TorchSegmenter.load(place.weights or DEFAULT_WEIGHTS)
