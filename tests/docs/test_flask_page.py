"""The example page of docs/examples/flask_page runs as its README says."""

import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image as Pillow

from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS

_ROOT = Path(__file__).parents[2]
_SCRIPT = _ROOT / "docs" / "examples" / "flask_page" / "app.py"


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    command = [sys.executable, str(_SCRIPT), "--port", "0"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("Open ").strip()
        finally:
            process.terminate()


def _open(text: str) -> Pillow.Image:
    return Pillow.open(BytesIO(b64decode(text)))


def test_a_drawn_person_is_parsed(page: str) -> None:
    figure, buffer = draw_figure(11).image, BytesIO()
    Pillow.fromarray(figure).save(buffer, "PNG")
    files = {"image": ("a.png", buffer.getvalue())}
    answer = httpx2.post(f"{page}/api/parse", files=files, timeout=60)
    assert answer.status_code == 200
    labels, composite = _open(answer.json()["labels"]), _open(answer.json()["composite"])
    assert labels.mode == "P"
    assert labels.size == figure.shape[1::-1]
    present = {LABELS[value] for value in np.unique(np.asarray(labels))}
    assert {"hair", "face"} <= present
    assert composite.mode == "RGB"


def test_what_is_no_picture_gets_an_error(page: str) -> None:
    assert httpx2.post(f"{page}/api/parse", files={"image": ("a", b"x")}).status_code == 400
    assert httpx2.post(f"{page}/api/parse", data={"image": "x"}).status_code == 400


def test_the_page_has_a_form_for_the_field_of_the_interface(page: str) -> None:
    assert 'name="image"' in httpx2.get(page).text
