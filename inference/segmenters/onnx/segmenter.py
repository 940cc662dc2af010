"""Loads a folder with a network in ONNX and its description."""

from typing import Any

import numpy.typing as npt
import structlog

from inference.segmenters.described.segmenter import DescribedSegmenter
from inference.segmenters.described.trial import sees_nobody, try_model
from inference.segmenters.onnx.folder import NETWORK, OnnxFiles, read_folder
from inference.segmenters.onnx_session import open_session
from inference.supply.errors import ModelError
from inference.supply.verified import VerifiedModel

_log = structlog.get_logger(__name__)


def load_onnx(model: VerifiedModel, threads: int) -> DescribedSegmenter:
    """Build the segmenter of a verified folder, and try it on drawn pictures.

    Args:
        threads: threads that one call may use, the caller's own among them.

    Raises:
        ModelError: a file is not what it has to be, or the network's answer is not as described.
    """
    files = read_folder(model)
    segmenter = DescribedSegmenter(
        "onnx", _OnnxNetwork(files, model, threads), files.description, model.digest
    )
    if sees_nobody(try_model(segmenter)):
        _log.warning(
            "the model answers background alone on drawn people: check colours, white, mean, "
            "deviation, layout and outputs of its description",
            model=str(model.path),
        )
    return segmenter


class _OnnxNetwork:
    """A session with the names of what goes in and comes out."""

    def __init__(self, files: OnnxFiles, model: VerifiedModel, threads: int) -> None:
        self._file = model.path / NETWORK
        self._input = files.input_name
        self._outputs = [output.name for output in files.description.outputs]
        try:
            self._session = open_session(files.network, threads)
        except Exception as error:  # its errors have no type of their own in common
            raise ModelError(
                f"The model file {self._file} cannot be run ({type(error).__name__}): export it "
                "again, for an operator set that ONNX Runtime knows."
            ) from error

    def __call__(self, picture: npt.NDArray[Any]) -> list[Any]:
        try:
            return list(self._session.run(self._outputs, {self._input: picture}))
        except Exception as error:  # as above
            shape = " × ".join(str(side) for side in picture.shape)
            raise ModelError(
                f"The model file {self._file} does not run on a picture of {shape}: check [input] "
                "of its description."
            ) from error
