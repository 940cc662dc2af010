from collections.abc import Callable

import numpy as np
import pytest

from detectors.findings import TYPE_MISMATCH
from detectors.parsing import Image
from detectors.registry import FEATURES, Group
from inference.gate.decode import SizeLimits
from inference.gate.faces import FaceFinder
from inference.gate.screen import Gate, Screened
from inference.refusals import EMPTY_UPLOAD, TOO_MANY_BYTES, UNSUPPORTED_TYPE


@pytest.fixture
def gate() -> Gate:
    return Gate(2_000_000, SizeLimits(4_000_000, 8, 4_000), FaceFinder())


def test_measures_the_whole_input_group(
    gate: Gate, figure: Image, encode: Callable[..., bytes]
) -> None:
    screened = gate.screen(encode(figure), "image/png")
    assert isinstance(screened, Screened)
    assert set(screened.features) == {f.name for f in FEATURES if f.group is Group.INPUT}
    assert screened.features["width"] == figure.shape[1]


def test_refusals(gate: Gate) -> None:
    assert gate.screen(b"", None) is EMPTY_UPLOAD
    assert gate.screen(b"GIF89a" + bytes(100), "image/png") is UNSUPPORTED_TYPE
    assert gate.screen(b"\xff\xd8\xff" + bytes(2_000_000), None) is TOO_MANY_BYTES


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("image/png", False),
        ("image/png; charset=x", False),
        (None, False),
        ("application/octet-stream", False),
        ("image/jpeg", True),
        ("text/html", True),
    ],
)
def test_a_wrong_declared_type_is_a_finding_and_no_refusal(
    gate: Gate, figure: Image, encode: Callable[..., bytes], declared: str | None, found: bool
) -> None:
    screened = gate.screen(encode(figure), declared)
    assert isinstance(screened, Screened)
    assert [f.rule for f in screened.findings] == ([TYPE_MISMATCH] if found else [])


def test_face_finder_sees_nothing_in_a_blank_picture() -> None:
    assert FaceFinder().find(np.full((300, 300, 3), 128, np.uint8)) == ()
