from hashlib import sha256

import numpy as np
import pytest

from detectors.outliers.challengers.frozen import FrozenSet, FrozenSetError
from detectors.outliers.comparison import NamedRows
from detectors.outliers.kinds import FrozenKind, OutlierKind
from detectors.outliers.model import OutlierModel

ROWS = np.array([[1.0, np.nan], [3.0, 4.0]])
FROZEN = FrozenSet(FrozenKind.CLEAN, NamedRows(("a", "b"), ROWS), np.array([7, 8], np.int64))


def load(data: bytes) -> FrozenSet:
    return FrozenSet.loads(data, sha256(data).hexdigest())


def test_a_set_comes_back_as_it_was_and_its_bytes_are_the_same_each_time() -> None:
    data = FROZEN.dumps()
    assert data == FROZEN.dumps()
    back = load(data)
    assert (back.kind, back.features.names) == (FrozenKind.CLEAN, ("a", "b"))
    np.testing.assert_array_equal(back.features.rows, ROWS)
    assert back.keys.tolist() == [7, 8]


def test_one_changed_byte_is_noticed() -> None:
    data = bytearray(FROZEN.dumps())
    digest = sha256(data).hexdigest()
    data[-1] ^= 1
    with pytest.raises(FrozenSetError, match="was changed on disk"):
        FrozenSet.loads(bytes(data), digest)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        OutlierModel.fit(
            OutlierKind.NEAREST_NEIGHBOURS, np.random.default_rng(1).normal(size=(40, 2)), "ab", 1
        ).dumps(),
        FrozenSet(FrozenKind.CLEAN, FROZEN.features, np.array([7], np.int64)).dumps(),
        FrozenSet(FrozenKind.CLEAN, NamedRows(("a",), ROWS), FROZEN.keys).dumps(),
        FrozenSet(FrozenKind.CLEAN, NamedRows(("a", "b"), ROWS * np.inf), FROZEN.keys).dumps(),
    ],
    ids=["empty", "foreign", "model", "keys", "names", "infinite"],
)
def test_what_is_no_frozen_set_is_refused(data: bytes) -> None:
    with pytest.raises(FrozenSetError, match="not one that this version can read"):
        load(data)


def test_features_that_were_not_kept_are_not_measured() -> None:
    chosen = NamedRows(("a", "b"), ROWS).select(("b", "new"))
    np.testing.assert_array_equal(chosen, [[np.nan, np.nan], [4.0, np.nan]])
