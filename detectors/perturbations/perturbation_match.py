"""Finds a known perturbation again, and says from when on that is no chance."""

from collections.abc import Sequence

import cv2
import numpy as np

from detectors.baseline.baseline import tail_threshold
from detectors.perturbations.residuals import GRID, Residual, Spectrum, overlap
from detectors.perturbations.signatures import Signature, SignatureError

# One ordinary picture in a thousand may reach the limit, by the tail of those that were looked at.
_FALSE_POSITIVE_RATE = 0.001
_MIN_LIMIT, _MAX_LIMIT = 7.0, 10.0
MIN_ORDINARY = 30
# Shares of a side: between two of these half of the strength is left.
_CROPS = (0.0, 0.025, 0.05, 0.075, 0.1)


class PerturbationMatcher:
    """Looks for one perturbation; made once for many pictures.

    It may have been moved, mirrored, or cropped with its picture at equal proportions.
    """

    def __init__(self, signature: Signature) -> None:
        cells = signature.cells.astype(np.float32)
        views = (cells, cells[..., ::-1])
        self._spectra = [_spectrum_of(view, crop) for view in views for crop in _CROPS]

    def look(self, spectrum: Spectrum) -> float:
        """How clearly a picture shows it, in deviations of chance."""
        return max(overlap(each, spectrum).strength for each in self._spectra)


def _spectrum_of(cells: Residual, crop: float) -> Spectrum:
    """Of the middle of a signature, enlarged as in a picture of which so much was cut off."""
    side = round(GRID / (1 - crop))
    start = (side - GRID) // 2
    stop = start + GRID
    large = (cv2.resize(np.ascontiguousarray(each), (side, side)) for each in cells)
    return np.fft.rfft2(np.stack([each[start:stop, start:stop] for each in large])).astype(
        np.complex64
    )


def limit_of(signature: Signature, ordinary: Sequence[Spectrum]) -> float | None:
    """The strength that chance does not reach; ``None`` for what ordinary pictures show too.

    Args:
        ordinary: spectra of pictures of requests that passed, of as many senders as there are.

    Raises:
        SignatureError: too few pictures to tell.
    """
    if len(ordinary) < MIN_ORDINARY:
        raise SignatureError(
            f"{len(ordinary)} ordinary pictures do not say what chance does: {MIN_ORDINARY} do."
        )
    matcher = PerturbationMatcher(signature)
    strengths = [matcher.look(each) for each in ordinary]
    limit = max(_MIN_LIMIT, tail_threshold(strengths, _FALSE_POSITIVE_RATE))
    return limit if limit <= _MAX_LIMIT else None
