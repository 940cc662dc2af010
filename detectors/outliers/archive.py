"""Model archives: safetensors files of plain arrays with a JSON header; no code, no pickle.

Whoever reads one gets arrays of known types and a header of known fields, or one error. What the
arrays must be like is checked where they are used: each scorer's ``restore`` knows its own.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from detectors.outliers.base import ModelChanged, OutlierModelError
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.preparation import Arrays

MAX_ARCHIVE_BYTES = 64 << 20
"""A model of a million rows takes 40 MB; the default one of 20,000 rows takes 1.3 MB."""

MAX_NAMES = 1_000
FOREIGN = (LookupError, OverflowError, RecursionError, SafetensorError, TypeError, ValueError)
"""What parsing and restoring raise on bytes, types or contents that they do not expect."""

_FORMAT = 2
_FIELD, _FIELDS = "maskwatch.outlier_model", 3
_MAX_HEADER_BYTES = 128 << 10
_LENGTH_BYTES = 8
_DTYPES = {"F64": np.float64, "I32": np.int32, "I64": np.int64}


@dataclass(frozen=True, eq=False)
class Archive:
    """What an archive holds.

    Attributes:
        names: feature names, one per matrix column.
        arrays: float64, int32 or int64 arrays by name.
    """

    kind: OutlierKind
    names: tuple[str, ...]
    arrays: Arrays


def pack(archive: Archive) -> bytes:
    """The bytes of an archive; the same arrays give the same bytes.

    Raises:
        OutlierModelError: it is larger than what ``unpack`` reads.
    """
    header = {"format": _FORMAT, "kind": archive.kind.value, "names": list(archive.names)}
    # safetensors writes the memory of an array as it lies there, whatever its strides.
    arrays = {name: np.array(array, order="C") for name, array in archive.arrays.items()}
    # One field: it writes several in a random order.
    data = save(arrays, {_FIELD: json.dumps(header)})
    if len(data) > MAX_ARCHIVE_BYTES:
        raise OutlierModelError(
            f"The outlier model takes {len(data):,} bytes, more than {MAX_ARCHIVE_BYTES:,}: "
            "set MASKWATCH_TRAINING_ROWS lower."
        )
    return data


def unpack(data: bytes, digest: str) -> Archive:
    """What ``pack`` was given, from an archive whose SHA-256 must be ``digest``.

    Raises:
        ModelChanged: the archive was changed.
        Exception: one of ``FOREIGN``: it is not one of ours.
    """
    if len(data) > MAX_ARCHIVE_BYTES or sha256(data).hexdigest() != digest:
        raise ModelChanged(f"Outlier model {digest[:12]} was changed on disk.")
    kind, names = _read_header(data)
    return Archive(kind, names, read_arrays(data))


def read_field(data: bytes, field: str) -> dict[str, Any]:
    """A JSON object from the header of a safetensors file.

    Raises:
        Exception: one of ``FOREIGN``: there is none.
    """
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if length > _MAX_HEADER_BYTES:
        raise ValueError("a header that is too long")
    outer = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    header = json.loads(outer["__metadata__"][field])
    if not isinstance(header, dict):
        raise TypeError("a field that is no object")
    return header


def check_names(names: object) -> tuple[str, ...]:
    """Feature names from a header.

    Raises:
        TypeError, ValueError: they are none.
    """
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("names that are no texts")
    if not 1 <= len(names) <= MAX_NAMES or len(set(names)) != len(names):
        raise ValueError("no names, too many, or one of them twice")
    return tuple(names)


def read_arrays(data: bytes) -> Arrays:
    """The arrays; safetensors checks that their sizes and places fit the file to the byte.

    Raises:
        Exception: one of ``FOREIGN``.
    """
    return {
        name: np.frombuffer(tensor["data"], _DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
        for name, tensor in deserialize(data)  # type: ignore[no-untyped-call]
    }


def _read_header(data: bytes) -> tuple[OutlierKind, tuple[str, ...]]:
    header = read_field(data, _FIELD)
    if header["format"] != _FORMAT or len(header) != _FIELDS:
        raise ValueError("not the fields of this format")
    return OutlierKind(header["kind"]), check_names(header["names"])
