"""A signature is a grid of small numbers; its bytes are its cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.perturbations.residuals import CHANNELS, GRID
from detectors.perturbations.signatures import Signature, SignatureError

SHAPE = (CHANNELS, GRID, GRID)


def signature(seed: int = 1) -> Signature:
    return Signature.of_residual(default_rng(seed).normal(size=SHAPE).astype(np.float32))


def test_bytes_lead_back_to_the_signature() -> None:
    again = Signature.of_bytes(signature().to_bytes())
    assert (again.cells == signature().cells).all()
    assert again.digest == signature().digest != signature(2).digest
    assert len(again.digest) == 64


def test_scale_does_not_count() -> None:
    residual = default_rng(1).normal(size=SHAPE).astype(np.float32)
    scaled = (residual / 1024).astype(np.float32)
    assert Signature.of_residual(scaled).digest == Signature.of_residual(residual).digest


@given(st.binary(max_size=800))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(SignatureError, match=f"{len(data)} bytes are no signature"):
        Signature.of_bytes(data)


def test_nothing_is_no_signature() -> None:
    with pytest.raises(SignatureError, match="without any noise"):
        Signature.of_bytes(bytes(CHANNELS * GRID * GRID))
    with pytest.raises(SignatureError, match="flat"):
        Signature.of_residual(np.ones(SHAPE, np.float32))
    with pytest.raises(SignatureError, match="not \\(3, 3\\)"):
        Signature(np.ones((3, 3), np.int8))


def test_it_is_drawn_around_grey() -> None:
    cells = np.zeros(SHAPE, np.int8)
    cells[0, 3, 4] = 100  # red
    picture = Signature(cells).draw()
    assert picture.shape == (GRID, GRID, 3)
    assert (picture[0, 0] == 128).all()
    red, green, _ = picture[3, 4]
    assert red > 200 > green
