"""Model archives: skops files of arrays, read only if they are what the database knows."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile

import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from detectors.outliers.base import OutlierModelError

# Only archives of the first version hold these: scikit-learn's own tree and the imputer's dtype.
_TRUSTED = ("numpy.dtype", "sklearn.tree._tree.Tree")
# What skops and the models raise on bytes, types or contents that they do not expect.
FOREIGN = (
    AttributeError,
    BadZipFile,
    UntrustedTypesFoundException,
    LookupError,
    TypeError,
    ValueError,
)


def pack(state: Mapping[str, Any]) -> bytes:
    """Arrays, texts, numbers, lists and dictionaries as a skops archive: no pickle."""
    return bytes(skops.io.dumps(dict(state), compression=ZIP_DEFLATED))


def unpack(data: bytes, digest: str) -> Any:
    """What ``pack`` was given, from an archive whose SHA-256 must be ``digest``.

    Raises:
        OutlierModelError: the archive was changed.
        Exception: one of ``FOREIGN``: it is not one of ours.
    """
    if sha256(data).hexdigest() != digest:
        raise OutlierModelError(f"Outlier model {digest[:12]} was changed on disk.")
    return skops.io.loads(data, trusted=list(_TRUSTED))
