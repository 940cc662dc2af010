from typing import Any

import numpy as np


def test_present_labels_leave_the_background_out(draw: Any) -> None:
    present = draw({}).present_labels()
    assert present == ("hair", "upper_clothes", "pants", "shoes", "face", "arm")


def test_an_empty_picture_has_no_labels(parse: Any) -> None:
    assert parse(np.zeros((4, 4), dtype=np.uint8)).present_labels() == ()
