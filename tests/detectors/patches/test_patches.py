"""A patch is a small square with a sensible share; its bytes are its pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.patches.patches import Patch, PatchError


def patch(side: int = 32, share: float = 0.1) -> Patch:
    return Patch(default_rng(side).integers(0, 256, (side, side, 3)).astype(np.uint8), share)


@pytest.mark.parametrize("side", [8, 24, 64])
def test_bytes_lead_back_to_the_patch(side: int) -> None:
    again = Patch.of_bytes(patch(side).to_bytes(), 0.1)
    assert (again.pixels == patch(side).pixels).all()
    assert again.digest == patch(side).digest
    assert len(again.digest) == 64


@given(st.binary(max_size=800))
def test_other_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        read = Patch.of_bytes(data, 0.1)
    except PatchError:
        return
    assert read.to_bytes() == data


@pytest.mark.parametrize("side", [1, 7, 65])
def test_a_patch_is_neither_tiny_nor_large(side: int) -> None:
    with pytest.raises(PatchError, match=f"not {side} by {side}"):
        patch(side)


@pytest.mark.parametrize("share", [0.0, 0.04, 1.01, float("nan"), float("inf")])
def test_its_share_of_a_picture_is_bounded(share: float) -> None:
    with pytest.raises(PatchError, match="5% to 100%"):
        patch(share=share)


def test_a_patch_is_square() -> None:
    with pytest.raises(PatchError, match="not 9 by 8"):
        Patch(np.zeros((8, 9, 3), np.uint8), 0.1)
