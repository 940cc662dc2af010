"""A re-ranker: one weight for each input, and an archive of plain arrays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from detectors.errors import MaskwatchError
from detectors.outliers.archive import FOREIGN, read_arrays, read_field
from detectors.outliers.preparation import Matrix, Vector, check_array
from detectors.ranking.inputs import INPUT_NAMES, phrase_input

MAX_RERANKER_BYTES = 64 << 10

_FORMAT = 1
_FIELD, _FIELDS = "maskwatch.reranker", 3
_ARRAYS = ("centre", "scale", "weights")
# No input outweighs all others by being very far out.
_MAX_DEVIATION = 4.0


class RerankerError(MaskwatchError):
    """A re-ranker that cannot be read."""


class RerankerChanged(RerankerError):
    """The bytes of an archive are not those that were written."""


@dataclass(frozen=True, eq=False)
class Reranker:
    """A linear model over the inputs; it orders, and decides nothing.

    Attributes:
        basis: of the outlier models whose scores it learnt from; those of others mean another
            thing. See :func:`detectors.outliers.basis.digest_basis`.
        centre, scale: what each input is measured from and in, ``(inputs,)`` each.
        weights: in log-odds for one scale, ``(inputs,)``.
    """

    basis: str
    centre: Vector
    scale: Vector
    weights: Vector

    def standardise(self, rows: Matrix) -> Matrix:
        """Bounded deviations of ``(n, inputs)`` rows; what was not measured deviates by nothing."""
        deviations = np.nan_to_num((rows - self.centre) / self.scale, nan=0.0)
        return np.clip(deviations, -_MAX_DEVIATION, _MAX_DEVIATION)

    def rank(self, rows: Matrix) -> Vector:
        """How like an attack ``(n, inputs)`` rows are, ``(n,)``; high = confirmed more often."""
        return np.asarray(self.standardise(rows) @ self.weights, np.float64)

    def explain(self, row: Vector) -> dict[str, float]:
        """What each input of a ``(inputs,)`` row adds, by name, the largest first."""
        shares = (self.standardise(row[np.newaxis])[0] * self.weights).tolist()
        pairs = zip(INPUT_NAMES, shares, strict=True)
        return dict(sorted(pairs, key=lambda pair: (-abs(pair[1]), pair[0])))

    def phrase_share(self, name: str, share: float) -> str:
        """What an input says that adds or takes so much."""
        is_high = share * self.weights[INPUT_NAMES.index(name)] > 0
        return phrase_input(name, is_high=bool(is_high))

    def dumps(self) -> bytes:
        """The re-ranker as a safetensors archive; the same one gives the same bytes."""
        header = {"format": _FORMAT, "basis": self.basis, "inputs": list(INPUT_NAMES)}
        arrays = {name: np.array(getattr(self, name), np.float64) for name in _ARRAYS}
        return save(arrays, {_FIELD: json.dumps(header)})

    @classmethod
    def loads(cls, data: bytes, digest: str) -> Self:
        """Read an archive whose SHA-256 must be ``digest``.

        Raises:
            RerankerChanged: it was changed.
            RerankerError: it is of another version.
        """
        if len(data) > MAX_RERANKER_BYTES or sha256(data).hexdigest() != digest:
            raise RerankerChanged("was changed on disk")
        try:
            return cls._restore(read_field(data, _FIELD), read_arrays(data))
        except FOREIGN:
            raise RerankerError("is not one that this version can read") from None

    @classmethod
    def _restore(cls, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        if header["format"] != _FORMAT or len(header) != _FIELDS or arrays.keys() != {*_ARRAYS}:
            raise ValueError("not the fields of this format")
        if tuple(header["inputs"]) != INPUT_NAMES or not isinstance(header["basis"], str):
            raise ValueError("other inputs")
        centre, scale, weights = (
            check_array(arrays[name], np.float64, (len(INPUT_NAMES),)) for name in _ARRAYS
        )
        if (scale <= 0).any():
            raise ValueError("a scale that divides by nothing")
        return cls(header["basis"], centre, scale, weights)
