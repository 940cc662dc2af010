import numpy as np
import pytest

from jobs.engines.packed_arrays import pack_arrays, unpack_arrays


def test_arrays_and_numbers_come_back_bit_for_bit() -> None:
    rows = np.array([[0.1, np.nan], [-0.0, np.inf]])
    packed = unpack_arrays(pack_arrays({"a": [0.1 + 0.2, None]}, {"rows": rows}))
    assert packed.arrays["rows"].tobytes() == rows.tobytes()
    assert packed.arrays["rows"].shape == rows.shape
    assert packed.document == {"a": [0.1 + 0.2, None]}


def test_objects_are_neither_packed_nor_unpacked() -> None:
    with pytest.raises(ValueError, match="allow_pickle=False"):
        pack_arrays({}, {"rows": np.array([object()])})
