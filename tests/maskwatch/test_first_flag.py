"""The pictures of docs/first-flag.md do what the page says."""

import json
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from tests.maskwatch.conftest import Run

_IMAGES = Path(__file__).parents[2] / "docs" / "images"
_PERSON, _CRAFTED = _IMAGES / "person.jpg", _IMAGES / "crafted.png"


def test_the_crafted_picture_is_flagged_and_the_plain_one_passes(maskwatch: Run) -> None:
    report = maskwatch("parse", "--json", str(_PERSON), str(_CRAFTED))
    person, crafted = (json.loads(line) for line in report.out.splitlines())
    assert (person["verdict"], person["reasons"]) == ("pass", [])
    assert crafted["verdict"] == "flag"
    assert "adversarial_picture" in crafted["reasons"]


def test_a_script_behind_the_picture_is_flagged(maskwatch: Run, tmp_path: Path) -> None:
    more = tmp_path / "more.jpg"
    more.write_bytes(_PERSON.read_bytes() + b"<script>alert(1)</script>")
    report = maskwatch("parse", "--json", str(more))
    assert json.loads(report.out)["verdict"] == "flag"


def test_the_crafted_picture_differs_by_as_little_as_the_page_says() -> None:
    person, crafted = (
        np.asarray(Pillow.open(path).convert("RGB"), dtype=np.int16) for path in (_PERSON, _CRAFTED)
    )
    assert abs(person - crafted).max() <= 8
