"""Looks at the pictures of a service: the proxy asks it again, seldom, and never as a client."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx2
import numpy as np
import pytest
from flask import Response, request
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.upstream.looks.look_mark import LookMark
from tests.inference.http.proxy.conftest import WAIT_SECONDS, Attach, Attached, Page, answer_labels
from tests.waiting import wait_for

MARK = "Maskwatch-Look"
EVERY_LOOK = {"upstream_look_share": 1, "upstream_look_budget": 0.99}
ONE_LOOK = {**EVERY_LOOK, "ensemble": "never"}
Encode = Callable[..., bytes]


@pytest.fixture
def picture() -> Image:
    """Dark on the left, bright on the right."""
    image = np.full((64, 48, 3), 220, np.uint8)
    image[:, :20] = 30
    return image


@pytest.fixture
def file(picture: Image, encode: Encode) -> bytes:
    return encode(picture)


def _open(data: bytes) -> Any:
    return np.asarray(Pillow.open(BytesIO(data)).convert("RGB"))


def _looks(page: Page) -> list[dict[str, str]]:
    return [headers for headers in page.headers if MARK in headers]


def _count(attached: Attached, name: str, **labels: str) -> float:
    registry = attached.proxy.service.metrics.registry
    return registry.get_sample_value(f"maskwatch_{name}_total", labels) or 0.0


def _expect(attached: Attached, outcome: str, count: int) -> None:
    """Exchanges are counted when their records are made already."""
    wait_for(lambda: _count(attached, "upstream_looks", outcome=outcome) == count)


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_a_picture_of_the_sample_is_asked_about_again(
    attach: Attach, page: Page, file: bytes, picture: Image, mode: str
) -> None:
    attached = attach(is_known=True, mode=mode, **ONE_LOOK)
    answer = attached.send(file)
    (features,) = attached.features(1)
    assert answer.headers["X-Model"] == "theirs"
    assert features["glance_divergence"] == 0
    assert features["glance_entropy"] == pytest.approx(0, abs=1e-6)
    assert features["ensemble_passes"] == 1
    assert features["tamper_score"] is not None
    client, look = page.headers
    assert MARK not in client
    assert look[MARK]
    sent, again = (_open(data) for data in page.pictures)
    assert sent.shape == again.shape
    assert 0 < np.abs(sent.astype(int) - again).max() < 60
    _expect(attached, "taken", 1)
    assert _count(attached, "upstream_look_requests", outcome="answered") == 1
    assert _count(attached, "upstream_seconds", whose="looks") > 0
    assert _count(attached, "upstream_seconds", whose="clients") > 0


def test_a_parse_that_falls_apart_is_looked_at_closely_and_called_crafted(
    attach: Attach, page: Page, file: bytes
) -> None:
    def answer(picture: Any) -> Response:
        # What the service makes of looks is not what it made of the client's own pixels.
        return answer_labels(picture if len(page.pictures) > 1 else 255 - picture)

    page.answer = answer
    attached = attach(is_known=True, ensemble_patches=False, **EVERY_LOOK)
    attached.send(file)
    (row,) = attached.rows(1)
    (features,) = attached.features(1)
    assert "adversarial_picture" in row.reasons
    assert features["ensemble_passes"] == 1 + 5 + 5
    assert len(_looks(page)) == 11
    assert (features["js_consensus"] or 0) > 0.1


def test_nothing_of_the_client_goes_along_with_a_look(
    attach: Attach, page: Page, file: bytes
) -> None:
    attached = attach(is_known=True, **ONE_LOOK)
    headers = {"Cookie": "session=1", "Authorization": "Bearer theirs", "X-Key": "1"}
    attached.send(file, path="/parse?size=2", headers=headers)
    attached.rows(1)
    client, look = page.headers
    assert client["Cookie"] == "session=1"
    assert not {"Cookie", "Authorization", "X-Key"} & set(look)
    assert look["X-Forwarded-For"] == "unknown"
    assert page.requests == [("POST", "/parse?size=2")] * 2


def test_credentials_go_along_where_a_setting_says_so(
    attach: Attach, page: Page, file: bytes
) -> None:
    attached = attach(is_known=True, upstream_look_credentials=True, **ONE_LOOK)
    attached.send(file, headers={"Cookie": "session=1", "Authorization": "Bearer theirs"})
    attached.rows(1)
    (look,) = _looks(page)
    assert (look["Cookie"], look["Authorization"]) == ("session=1", "Bearer theirs")


@pytest.mark.parametrize("name", [MARK, "maskwatch_look"])
def test_a_client_that_sends_a_mark_gains_nothing(
    attach: Attach, page: Page, file: bytes, name: str
) -> None:
    attached = attach(upstream_looks=False)
    mark = LookMark().write()[1].decode()
    assert attached.send(file, headers={name: mark}).status_code == 200
    assert httpx2.get(attached.url + "/page", headers={name: mark}).status_code == 200
    assert len(attached.rows(1)) == 1
    for headers in page.headers:
        assert not {name.title(), MARK, "Maskwatch_Look"} & set(headers)


def test_a_look_that_comes_back_is_a_loop(attach: Attach, page: Page, file: bytes) -> None:
    attached = attach(is_known=True, **ONE_LOOK)
    attached.send(file)
    attached.rows(1)
    (look,) = _looks(page)
    answer = attached.send(file, headers={MARK: look[MARK]})
    assert answer.status_code == 508
    assert answer.json()["type"].endswith(":upstream_loop")
    attached.rows(1)


def test_marks_do_not_reach_clients(attach: Attach, page: Page, file: bytes) -> None:
    def answer(picture: Any) -> Response:
        made = answer_labels(picture)
        made.headers[MARK] = "echoed"
        return made

    page.answer = answer
    attached = attach()
    answered = attached.send(file)
    assert answered.headers["X-Model"] == "theirs"
    assert MARK not in answered.headers


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"upstream_look_share": 0, "is_known": False}, "not_chosen"),
        ({"upstream_look_share": 1, "upstream_look_budget": 0}, "over_budget"),
        ({"upstream_look_share": 1, "max_waiting_replies": 2}, "queue"),
    ],
)
def test_what_is_not_looked_at_is_counted_with_why(
    attach: Attach, page: Page, file: bytes, changes: dict[str, float], outcome: str
) -> None:
    attached = attach(**{"is_known": True, **changes})
    attached.send(file)
    (features,) = attached.features(1)
    assert features["glance_divergence"] is None
    assert not _looks(page)
    _expect(attached, outcome, 1)


@pytest.mark.parametrize(("share", "outcome", "looks"), [(0.1, "taken", 1), (0, "over_share", 0)])
def test_colours_that_no_camera_makes_are_odd_without_a_look(
    attach: Attach, page: Page, encode: Encode, share: float, outcome: str, looks: int
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 48, 3), np.uint8)
    odd = {"upstream_look_share": 0, "upstream_odd_look_share": share, "ensemble": "never"}
    attached = attach(is_known=True, **odd)
    attached.send(encode(noise))
    attached.rows(1)
    _expect(attached, outcome, 1)
    assert len(_looks(page)) == looks


def test_no_look_is_taken_where_it_is_switched_off(attach: Attach, page: Page, file: bytes) -> None:
    attached = attach(is_known=True, upstream_looks=False, **ONE_LOOK)
    attached.send(file)
    attached.rows(1)
    assert len(page.headers) == 1


def test_two_pictures_in_one_request_are_not_looked_at(
    attach: Attach, page: Page, file: bytes
) -> None:
    attached = attach(is_known=True, **ONE_LOOK)
    attached.send(file, file)
    attached.rows(2)
    assert len(page.headers) == 1


def test_an_upstream_that_denies_looks_is_left_alone(
    attach: Attach, page: Page, picture: Image, encode: Encode
) -> None:
    def answer(seen: Any) -> Response:
        return Response(status=401) if MARK in request.headers else answer_labels(seen)

    page.answer = answer
    attached = attach(is_known=True, **ONE_LOOK)
    for number in range(5):
        picture[0, 0] = number
        attached.send(encode(picture))
        attached.wait_until_idle()
        assert attached.rows(number + 1)[-1].reasons == []
        features = attached.features(number + 1)[-1]
        assert features["glance_divergence"] is None
    assert len(_looks(page)) == 3
    assert _count(attached, "upstream_look_requests", outcome="denied") == 3
    _expect(attached, "failed", 3)
    _expect(attached, "failing", 2)
    assert _count(attached, "faults", part="first_look") == 0


def test_a_picture_lies_for_a_look_as_it_lay_for_the_client(
    attach: Attach, page: Page, picture: Image
) -> None:
    turned = Pillow.fromarray(picture)
    exif = turned.getexif()
    exif[0x0112] = 6
    buffer = BytesIO()
    turned.save(buffer, "PNG", exif=exif)
    attached = attach(is_known=True, **ONE_LOOK)
    attached.send(buffer.getvalue())
    (features,) = attached.features(1)
    sent, again = (_open(data) for data in page.pictures)
    assert sent.shape == again.shape == (64, 48, 3)
    assert np.abs(sent.astype(int) - again).max() < 60
    assert features["glance_divergence"] == 0


def test_looks_under_way_do_not_hold_up_the_end(attach: Attach, page: Page, file: bytes) -> None:
    attached = attach(is_known=True, **ONE_LOOK)
    page.answer = _stall_looks(page)
    try:
        attached.send(file)
        wait_for(lambda: len(page.headers) == 2)
        attached.proxy.looks.close()
        (features,) = attached.features(1)
        assert features["glance_divergence"] is None
    finally:
        page.may_answer.set()


def test_others_are_checked_while_a_look_waits(
    attach: Attach, page: Page, picture: Image, encode: Encode
) -> None:
    attached = attach(is_known=True, **ONE_LOOK)
    page.answer = _stall_looks(page)
    try:
        attached.send(encode(picture))
        wait_for(lambda: len(page.headers) == 2)
        picture[0, 0] = 1
        attached.send(encode(picture))
        attached.rows(1)
        _expect(attached, "busy", 1)
    finally:
        page.may_answer.set()
    assert {each["glance_divergence"] is None for each in attached.features(2)} == {True, False}


def _stall_looks(page: Page) -> Callable[[Any], Response]:
    """Answers to looks come once they may."""

    def answer(picture: Any) -> Response:
        if MARK in request.headers:
            page.may_answer.wait(WAIT_SECONDS)
        return answer_labels(picture)

    return answer
