"""Frozen sets: clean or attack requests that models are held against, in files that do not change.

A file holds all features of each request as they were measured, so that a model of other features
can be held against it as well, and the keys of the requests, which no model learns from.
"""

import json
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from detectors.errors import MaskwatchError
from detectors.outliers.archive import FOREIGN, check_names, read_arrays, read_field
from detectors.outliers.comparison import NamedRows
from detectors.outliers.kinds import FrozenKind

_FORMAT = 1
_FIELD = "maskwatch.frozen_set"
_ROWS, _KEYS = "rows", "request_keys"
MAX_SET_BYTES = 64 << 20


class FrozenSetError(MaskwatchError):
    """A frozen set that cannot be made or read."""


MIN_FROZEN = {FrozenKind.CLEAN: 100, FrozenKind.ATTACK: 20}
"""Fewer say too little: one request of twenty is five points."""


@dataclass(frozen=True, eq=False)
class FrozenSet:
    """Requests that models are held against.

    Attributes:
        features: one row per request.
        keys: the requests' keys, ``(n,)`` int64.
    """

    kind: FrozenKind
    features: NamedRows
    keys: npt.NDArray[np.int64]

    def dumps(self) -> bytes:
        """The set as a file; the same set gives the same bytes."""
        header = {
            "format": _FORMAT,
            "kind": self.kind.value,
            "names": list(self.features.names),
        }
        arrays = {_ROWS: np.ascontiguousarray(self.features.rows), _KEYS: self.keys}
        return bytes(save(arrays, {_FIELD: json.dumps(header)}))

    @classmethod
    def loads(cls, data: bytes, digest: str) -> "FrozenSet":
        """Read a file whose SHA-256 must be ``digest``.

        Raises:
            FrozenSetError: it was changed, or is of another version.
        """
        if len(data) > MAX_SET_BYTES or sha256(data).hexdigest() != digest:
            raise FrozenSetError("was changed on disk")
        try:
            return cls._restore(data)
        except FOREIGN:
            raise FrozenSetError("is not one that this version can read") from None

    @classmethod
    def _restore(cls, data: bytes) -> "FrozenSet":
        header = read_field(data, _FIELD)
        if header["format"] != _FORMAT:
            raise ValueError("another format")
        names, arrays = check_names(header["names"]), read_arrays(data)
        rows, keys = arrays[_ROWS], arrays[_KEYS]
        if rows.dtype != np.float64 or rows.shape != (len(keys), len(names)):
            raise ValueError("rows of another shape")
        if keys.dtype != np.int64 or np.isinf(rows).any():
            raise ValueError("values that nobody measures")
        return cls(FrozenKind(header["kind"]), NamedRows(names, rows), keys)
