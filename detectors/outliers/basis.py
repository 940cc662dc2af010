"""The basis of an outlier model: what its scores are made from."""

import json
from collections.abc import Sequence
from hashlib import sha256

from detectors.outliers.kinds import OutlierKind

BASIS = "basis"
"""Under this name the metrics of a model have it."""


def digest_basis(kind: OutlierKind, names: Sequence[str]) -> str:
    """One name for a kind and its features, in hex.

    Models of one basis explain a request in the same terms, whatever they learnt from.
    """
    return sha256(json.dumps([kind.value, *names]).encode()).hexdigest()[:16]
