"""The example page of docs/examples/flask_page runs as its README says."""

from collections.abc import Iterator
from io import BytesIO

import httpx2
import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.label_lists import LABEL_LISTS
from inference.figures import draw_figure
from inference.upstream.answers.formats import PalettePng
from inference.upstream.presets.preset_files import load_preset
from tests.flask_page import run_flask_page, send_picture


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with run_flask_page() as url:
        yield url


def test_a_drawn_person_is_parsed(page: str) -> None:
    figure, buffer = draw_figure(11).image, BytesIO()
    Pillow.fromarray(figure).save(buffer, "PNG")
    answer = send_picture(page, buffer.getvalue())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    parts = Pillow.open(BytesIO(answer.content))
    assert parts.size == figure.shape[1::-1]
    present = {LABEL_LISTS["CIHP"][value] for value in np.unique(np.asarray(parts))}
    assert {"Hair", "Face"} <= present
    form = load_preset("form").doors[0].answer
    assert isinstance(form, PalettePng)
    assert parts.getpalette() == [value for colour in form.palette for value in colour]


def test_what_is_no_picture_gets_an_error(page: str) -> None:
    assert send_picture(page, b"x").status_code == 400
    assert httpx2.post(f"{page}/predict", data={"image": "x"}).status_code == 400


def test_the_page_has_a_form_for_the_field_of_the_interface(page: str) -> None:
    assert 'name="image"' in httpx2.get(page).text
