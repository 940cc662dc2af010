"""Archives: what is read back, and that whatever else is refused with one sentence."""

import json
import pickle
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from detectors.outliers import archive as archives
from detectors.outliers.base import OutlierModelError
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix

FIELD = "maskwatch.outlier_model"
NAMES = ["a", "b", "c"]


def _rows(count: int) -> Matrix:
    return np.random.default_rng(1).normal(10, 2, (count, len(NAMES)))


@pytest.fixture(scope="module", params=list(OutlierKind))
def small(request: pytest.FixtureRequest) -> Iterator[bytes]:
    """An archive of each kind, small enough to be mutated often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("detectors.outliers.forests.isolation_forest._TREES", 2)
        patch.setattr("detectors.outliers.forests.extended_forest._TREES", 2)
        yield OutlierModel.fit(request.param, _rows(40), NAMES, seed=7).dumps()


def _read(data: bytes) -> OutlierModel:
    return OutlierModel.loads(data, sha256(data).hexdigest())


def _refused(data: bytes) -> None:
    with pytest.raises(
        OutlierModelError, match=r"this version can read: run `maskwatch jobs run retrain`"
    ):
        _read(data)


def _refused_or_sound(data: bytes) -> None:
    """Whatever is read scores any row without a fault, and is what is written again."""
    try:
        model = _read(data)
    except OutlierModelError:
        return
    rows = np.array([[1e300, -1e300, 0.0], [np.nan] * 3, [10.0] * 3])
    assert np.isfinite(model.score(rows)).all()
    again = _read(model.dumps())
    assert np.array_equal(again.score(rows), model.score(rows))
    assert (again.kind, again.names) == (model.kind, model.names)


def _header_of(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    return cast("dict[str, Any]", json.loads(data[8 : 8 + length]))


def _with_header(data: bytes, header: object) -> bytes:
    """The same arrays behind another header."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + int.from_bytes(data[:8], "little") :]


def _with_fields(data: bytes, **changes: object) -> bytes:
    fields = {**json.loads(_header_of(data)["__metadata__"][FIELD]), **changes}
    return save(load(data), {FIELD: json.dumps(fields)})


def _with_arrays(data: bytes, **changes: Any) -> bytes:
    arrays = {name: array for name, array in (load(data) | changes).items() if array is not None}
    return save(arrays, _header_of(data)["__metadata__"])


def test_arrays_come_back_whatever_their_order_in_memory() -> None:
    table = np.arange(6.0).reshape(2, 3)
    held = {"slanted": table.T, "every_other": table[:, ::2], "number": np.array(7)}
    data = archives.pack(archives.Archive(OutlierKind.COMBINED, ("a",), held))
    arrays = archives.unpack(data, sha256(data).hexdigest()).arrays
    assert {name: each.tolist() for name, each in arrays.items()} == {
        name: each.tolist() for name, each in held.items()
    }


def test_the_same_rows_give_the_same_bytes_that_hold_arrays_and_one_field(small: bytes) -> None:
    assert _read(small).dumps() == small
    header = _header_of(small)
    fields = json.loads(header.pop("__metadata__")[FIELD])
    assert fields == {"format": 2, "kind": fields["kind"], "names": NAMES}
    assert {entry["dtype"] for entry in header.values()} <= {"F64", "I32", "I64"}


@settings(deadline=None)
@given(data=st.data())
def test_changed_bytes_are_refused_or_give_a_sound_model(small: bytes, data: st.DataObject) -> None:
    changed = bytearray(small)
    header_bytes = 8 + int.from_bytes(small[:8], "little")
    places = st.one_of(st.integers(0, header_bytes), st.integers(0, len(small) - 1))
    for place, value in data.draw(
        st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)
    ):
        changed[place] = value
    _refused_or_sound(bytes(changed))


@settings(deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_part_of_an_archive_is_refused(small: bytes, share: float) -> None:
    _refused(small[: int(share * len(small))])


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    _refused(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(data=st.data(), value=json_values)
def test_another_header_is_refused_or_gives_a_sound_model(
    small: bytes, data: st.DataObject, value: object
) -> None:
    header = _header_of(small)
    entry = data.draw(st.sampled_from(sorted(header)))
    if entry != "__metadata__" and data.draw(st.booleans()):
        field = data.draw(st.sampled_from(["dtype", "shape", "data_offsets"]))
        header[entry][field] = value
    else:
        header[entry] = value
    _refused_or_sound(_with_header(small, header))


@settings(deadline=None)
@given(data=st.data())
def test_other_values_are_refused_or_give_a_sound_model(small: bytes, data: st.DataObject) -> None:
    arrays = {name: array.copy() for name, array in load(small).items()}
    array = arrays[data.draw(st.sampled_from(sorted(arrays)))]
    if array.size:
        place = data.draw(st.integers(0, array.size - 1))
        whole = array.dtype.kind == "i"
        limit = np.iinfo(array.dtype) if whole else None
        value = data.draw(st.integers(limit.min, limit.max) if limit else st.floats())
        array.reshape(-1)[place] = value
    _refused_or_sound(save(arrays, _header_of(small)["__metadata__"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 1},
        {"format": 3},
        {"kind": "oracle"},
        {"kind": ["combined"]},
        {"more": 1},
        {"names": []},
        {"names": ["a", "b"]},
        {"names": ["a", "b", "b"]},
        {"names": ["a", "b", 3]},
        {"names": "abc"},
        {"names": [str(number) for number in range(1_001)]},
    ],
    ids=str,
)
def test_other_fields_are_refused(small: bytes, changes: dict[str, object]) -> None:
    _refused(_with_fields(small, **changes))


def test_an_archive_under_another_kind_is_refused(small: bytes) -> None:
    kind = json.loads(_header_of(small)["__metadata__"][FIELD])["kind"]
    for other in set(OutlierKind) - {kind}:
        _refused(_with_fields(small, kind=other.value))


@pytest.mark.parametrize(
    "calibration",
    [None, np.zeros(29), np.full(40, np.nan), np.full(40, np.inf), np.zeros((8, 5)), np.arange(40)],
    ids=["none", "few", "nan", "infinite", "table", "whole"],
)
def test_a_calibration_that_no_fit_gives_is_refused(small: bytes, calibration: Any) -> None:
    _refused(_with_arrays(small, calibration=calibration))


def test_arrays_that_nobody_reads_are_refused(small: bytes) -> None:
    _refused(_with_arrays(small, more=np.zeros(1)))


@pytest.mark.parametrize("dtype", [np.float16, np.uint8, np.bool_])
def test_types_that_no_model_has_are_refused(small: bytes, dtype: type) -> None:
    _refused(_with_arrays(small, calibration=np.zeros(40, dtype)))


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 100_000, "{}", "null", ""])
def test_a_field_that_is_no_header_is_refused(small: bytes, text: str) -> None:
    _refused(save(load(small), {FIELD: text}))
    _refused(save(load(small), {"another": "field"}))
    _refused(save(load(small)))


def test_a_header_that_is_too_long_is_refused_before_it_is_parsed(small: bytes) -> None:
    header = _header_of(small)
    header["__metadata__"]["long"] = "x" * 200_000
    _refused(_with_header(small, header))
    for length in (2**63, 2**64 - 1, len(small), 0):
        _refused(length.to_bytes(8, "little") + small[8:])


def test_too_many_bytes_are_neither_written_nor_read(
    small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = _read(small)
    monkeypatch.setattr(archives, "MAX_ARCHIVE_BYTES", len(small) - 1)
    with pytest.raises(OutlierModelError, match="set MASKWATCH_TRAINING_ROWS lower"):
        model.dumps()
    with pytest.raises(OutlierModelError, match="was changed on disk"):
        _read(small)


class Trap:
    """Writes a file when something unpickles it."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.write_text, (self._trace, "it ran")


def test_code_in_a_file_is_refused_and_does_not_run(tmp_path: Path) -> None:
    _refused(pickle.dumps({"names": [], "scorer": Trap(tmp_path / "trace")}))
    assert not (tmp_path / "trace").exists()
