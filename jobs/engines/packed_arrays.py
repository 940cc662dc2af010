"""Arrays and a JSON document as bytes, and back: what travels between processes, without pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

_DOCUMENT = "document"


@dataclass(frozen=True, eq=False)
class Packed:
    """What was packed."""

    document: Any
    arrays: Mapping[str, np.ndarray]


def pack_arrays(document: object, arrays: Mapping[str, np.ndarray]) -> bytes:
    """An archive of arrays of numbers, with what JSON can say beside them.

    >>> packed = unpack_arrays(pack_arrays({"rate": 0.1}, {"rows": np.arange(3)}))
    >>> packed.document, packed.arrays["rows"].tolist()
    ({'rate': 0.1}, [0, 1, 2])

    Raises:
        ValueError: an array of objects.
    """
    buffer = BytesIO()
    text = np.frombuffer(json.dumps(document).encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, **{_DOCUMENT: text}, **arrays)
    return buffer.getvalue()


def unpack_arrays(data: bytes) -> Packed:
    """What :func:`pack_arrays` packed."""
    with np.load(BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return Packed(json.loads(arrays.pop(_DOCUMENT).tobytes()), arrays)
