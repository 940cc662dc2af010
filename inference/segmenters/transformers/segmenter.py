"""Loads a folder of transformers."""

import structlog
import torch

from inference.segmenters.described.segmenter import DescribedSegmenter
from inference.segmenters.described.trial import sees_nobody, try_model
from inference.segmenters.transformers.folder import read_folder
from inference.segmenters.transformers.network import TransformersNetwork
from inference.supply.verified import VerifiedModel

_log = structlog.get_logger(__name__)


def load_transformers(model: VerifiedModel, device: torch.device) -> DescribedSegmenter:
    """Build the segmenter of a verified folder, and try it on drawn pictures.

    Raises:
        ModelError: a file is not what it has to be, or the network's answer is not as described.
    """
    files = read_folder(model)
    network = TransformersNetwork(files, model, device)
    segmenter = DescribedSegmenter("transformers", network, files.description, model.digest)
    if files.description.labels.unknown:
        _log.warning(
            "labels without a part group",
            labels=files.description.labels.unknown,
            model=str(model.path),
        )
    if sees_nobody(try_model(segmenter)):
        _log.warning("the model answers background alone on drawn people", model=str(model.path))
    return segmenter
