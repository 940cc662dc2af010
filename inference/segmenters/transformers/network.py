"""The network of a configuration, filled with tensors that were checked."""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor
from transformers import AutoConfig
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING,
    MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES,
)
from transformers.utils import logging

from inference.segmenters.m2fp.tensors import load_safetensors
from inference.segmenters.transformers.folder import CONFIGURATION, TransformersFiles
from inference.supply.errors import ModelError
from inference.supply.verified import VerifiedModel


class TransformersNetwork:
    """A network for semantic segmentation; safe to call from several threads."""

    def __init__(
        self, files: TransformersFiles, model: VerifiedModel, device: torch.device
    ) -> None:
        """Build the network and fill in every weight.

        Raises:
            ModelError: transformers has no such network, or the weights are those of another one.
        """
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self._device = device
        self._network = _build(files, _read_weights(files, model), model)
        self._network.to(device).eval()

    def __call__(self, picture: npt.NDArray[Any]) -> list[Any]:
        """Logits ``(1, C, h, w)`` of a picture ``(1, 3, H, W)``."""
        with torch.inference_mode():
            pixels = torch.from_numpy(picture).to(self._device)
            return [self._network(pixel_values=pixels).logits.float().cpu().numpy()]


def _read_weights(files: TransformersFiles, model: VerifiedModel) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    for name in files.weights:
        part = load_safetensors(model.read(name), name)
        if double := sorted(part.keys() & weights.keys()):
            raise ModelError(
                f"The model folder {model.path} has the weight {double[0]} in two files: remove "
                "what does not belong to the model."
            )
        weights.update(part)
    return weights


def _build(files: TransformersFiles, weights: dict[str, Tensor], model: VerifiedModel) -> Any:
    kind = str(files.configuration.get("model_type"))
    if kind not in MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES:
        raise ModelError(
            f"The file {model.path / CONFIGURATION} describes a {kind!r}, which transformers has "
            "no semantic segmentation for: export the model to ONNX."
        )
    rest = {name: value for name, value in files.configuration.items() if name != "model_type"}
    try:
        settings = AutoConfig.for_model(kind, **rest)
        network = MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING[type(settings)]
        result, report = network.from_pretrained(
            None, config=settings, state_dict=weights, output_loading_info=True
        )
    except Exception as error:  # whatever a network may raise
        raise _unfit(model, "cannot be built") from error
    _check_report(report, model)
    return result


def _check_report(report: Mapping[str, Any], model: VerifiedModel) -> None:
    """A weight that is missing would be drawn at random."""
    for fault in ("missing_keys", "mismatched_keys", "error_msgs"):
        if report.get(fault):
            raise _unfit(model, f"does not fit its weights ({fault.replace('_', ' ')})")


def _unfit(model: VerifiedModel, why: str) -> ModelError:
    return ModelError(
        f"The model in {model.path} {why}: its configuration and weights belong to different "
        "models, or to another version of transformers. Save it again with save_pretrained."
    )
