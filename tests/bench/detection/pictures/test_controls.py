"""Benign changes give files that open."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from bench.detection.pictures.controls import CONTROLS
from inference.figures import draw_figure

FIGURE = draw_figure(11, (96, 144)).image


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_opens_and_repeats(name: str) -> None:
    first, again = (CONTROLS[name](FIGURE, np.random.default_rng(4)) for _ in range(2))
    assert first == again
    with Pillow.open(BytesIO(first)) as picture:
        assert min(picture.size) >= 0.5 * 96
        assert np.array(picture.convert("RGB")).std() > 10
