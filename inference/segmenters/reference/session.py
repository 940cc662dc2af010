"""The network in ONNX Runtime."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.segmenters.onnx_session import open_session
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.weights import INPUT, OUTPUT, read_network_file
from inference.supply.errors import ModelError
from inference.supply.verified import VerifiedModel

Floats = npt.NDArray[np.float32]


class NetworkSession:
    """A checked network, ready to run; safe to call from several threads.

    Args:
        threads: threads that one call may use, the caller's own among them.
    """

    def __init__(self, model: VerifiedModel, threads: int) -> None:
        """Check the file and build the session.

        Raises:
            ModelError: the file does not hold a network of the reference segmenter's kind.
        """
        data = read_network_file(model)
        try:
            self._session = open_session(data, threads)
            answer = self(np.zeros((1, 3, 32, 48), dtype=np.float32))
        except Exception as error:  # its errors have no type of their own in common
            raise _unfit(model.path) from error
        if answer.shape != (1, len(LABELS), 16, 24):
            raise _unfit(model.path)

    def __call__(self, pictures: Floats) -> Floats:
        """Logits ``(N, 15, H / 2, W / 2)`` of pictures ``(N, 3, H, W)`` in [0, 1]."""
        (logits,) = self._session.run([OUTPUT], {INPUT: pictures})
        return np.asarray(logits, dtype=np.float32)


def _unfit(path: Path) -> ModelError:
    return ModelError(
        f"The model file {path} does not run as a reference segmenter: check MASKWATCH_MODEL, or "
        "unset it to use the weights that Maskwatch ships."
    )
