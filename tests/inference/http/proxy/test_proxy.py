"""A proxy in front of a real Flask application."""

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from flask import Response
from PIL import Image as Pillow
from PIL import ImageOps

from detectors.parsing import Image
from inference.gate.screen import Decoded, Gate
from store.people.api_keys import add_key
from store.people.key_scopes import KeyScope
from store.requests.record_store import features_of
from tests.inference.http.conftest import block
from tests.inference.http.proxy.conftest import (
    PRESET,
    WAIT_SECONDS,
    Attach,
    answer_labels,
    label,
)

Encode = Callable[..., bytes]
SCRIPT = "<script>alert(1)</script>"


def _turned(figure: Image, orientation: int) -> bytes:
    """A JPEG that has to be turned to show the figure."""
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    Pillow.fromarray(figure).save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_the_client_has_the_answer_of_the_service_and_the_picture_a_record(
    attach: Attach, png: bytes, figure: Image, mode: str
) -> None:
    attached = attach(mode=mode)
    response = attached.send(png)
    expected = answer_labels(figure)
    assert (response.status_code, response.content) == (200, expected.get_data())
    assert (response.headers["x-model"], attached.page.pictures) == ("theirs", [png])
    (row,) = attached.rows(1)
    assert row.request_id == response.headers["maskwatch-request-id"]
    assert (row.route, row.stage, row.status) == ("proxy", "parsed", 200)
    assert row.labels == ["hair", "face"]
    assert row.segmenter == attached.proxy.service.models.current.digest


@pytest.mark.parametrize("sent", ["as_sent", "encoded"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_masks_lie_on_the_picture_however_it_lies_in_its_file(
    attach: Attach, figure: Image, replies: list[Any], orientation: int, sent: str
) -> None:
    data = _turned(figure, orientation)
    attached = attach(sent_pictures=sent, mode="enforce")
    assert attached.send(data).status_code == 200
    ((accepted, reply),) = replies
    picture = np.asarray(Pillow.open(BytesIO(attached.page.pictures[0])).convert("RGB"))
    assert (attached.page.pictures[0] == data) is (sent == "as_sent")
    in_file = Pillow.fromarray(label(picture))
    if sent == "as_sent":
        in_file.getexif()[0x0112] = orientation
        upright = Pillow.open(BytesIO(_save(in_file, orientation)))
        in_file = _transpose(upright)
    assert np.array_equal(reply.parsing.label_map, np.asarray(in_file))
    assert reply.parsing.label_map.shape == accepted.screening.image.shape[:2]


def _save(picture: Pillow.Image, orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    picture.save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


def _transpose(picture: Pillow.Image) -> Pillow.Image:
    return ImageOps.exif_transpose(picture)


def test_what_the_gate_refuses_does_not_reach_the_service(attach: Attach) -> None:
    attached = attach()
    response = attached.send(b"no picture")
    assert (response.status_code, response.json()["type"]) == (
        415,
        "urn:maskwatch:problem:unsupported_type",
    )
    assert attached.page.requests == []
    (row,) = attached.rows(1)
    assert (row.stage, row.verdict, row.reasons) == ("gate", "refuse", ["unsupported_type"])


def test_a_rule_of_the_gate_that_refuses_does_so_before_the_service_sees_it(
    attach: Attach, png: bytes
) -> None:
    attached = attach(gate_rules="script_in_metadata=refuse")
    picture = Pillow.open(BytesIO(png))
    buffer = BytesIO()
    picture.save(buffer, "JPEG", comment=SCRIPT.encode())
    assert attached.send(buffer.getvalue()).status_code == 422
    assert attached.page.requests == []
    (row,) = attached.rows(1)
    assert (row.verdict, row.reasons) == ("refuse", ["script_in_metadata"])


@pytest.mark.parametrize(("mode", "requests"), [("monitor", 1), ("enforce", 0)])
def test_pixels_are_measured_beside_the_traffic_unless_enforcing(
    attach: Attach, png: bytes, monkeypatch: pytest.MonkeyPatch, mode: str, requests: int
) -> None:
    attached, before = attach(mode=mode), list[int]()
    measure = Gate.measure

    def note(self: Gate, decoded: Decoded, upload_bytes: int) -> Any:
        before.append(len(attached.page.requests))
        return measure(self, decoded, upload_bytes)

    monkeypatch.setattr(Gate, "measure", note)
    assert attached.send(png).status_code == 200
    (row,) = attached.rows(1)
    assert before == [requests]
    with attached.proxy.service.database.read() as session:
        features = features_of(session, row.id)
    assert features is not None
    assert features["grey_entropy"] > 0
    assert features["gate_ms"] > features["decode_ms"]


def test_a_rule_about_pixels_that_refuses_does_so_before_the_service_sees_it(
    attach: Attach, encode: Encode
) -> None:
    attached = attach(gate_rules="blank_picture=refuse", mode="monitor")
    assert attached.send(encode(np.zeros((64, 64, 3), np.uint8))).status_code == 422
    assert attached.page.requests == []


@pytest.mark.parametrize(("mode", "unread"), [("monitor", "refuse"), ("enforce", "pass")])
@pytest.mark.parametrize("is_first", [True, False])
def test_one_refused_picture_refuses_the_request_and_each_has_a_record(
    attach: Attach, png: bytes, mode: str, unread: str, is_first: bool
) -> None:
    attached = attach(mode=mode, unread_answers=unread)
    pictures = (b"no picture", png) if is_first else (png, b"no picture")
    response = attached.send(*pictures)
    assert response.status_code == 415
    assert attached.page.requests == []
    rows = {row.request_id: row for row in attached.rows(2)}
    ordered = [rows[name] for name in response.headers["maskwatch-request-id"].split(", ")]
    refused, passed = ordered if is_first else reversed(ordered)
    assert response.json()["request_id"] == refused.request_id
    assert (refused.verdict, refused.reasons) == ("refuse", ["unsupported_type"])
    assert (passed.verdict, passed.status, passed.reasons) == ("pass", 415, ["not_passed_on"])


def test_every_picture_of_a_request_has_a_record(attach: Attach, png: bytes) -> None:
    attached = attach()
    response = attached.send(png, png)
    assert response.status_code == 200
    rows = attached.rows(2)
    ids = response.headers["maskwatch-request-id"].split(", ")
    assert [row.request_id for row in rows] == ids
    assert {row.stage for row in rows} == {"gate"}
    assert [row.reasons for row in rows] == [["answer_not_read"]] * 2


def test_several_pictures_are_refused_if_nothing_goes_out_unread(
    attach: Attach, png: bytes
) -> None:
    attached = attach(mode="enforce")
    response = attached.send(png, png)
    assert (response.status_code, attached.page.requests) == (422, [])
    assert response.json()["type"] == "urn:maskwatch:problem:several_pictures"
    (row,) = attached.rows(1)
    assert row.reasons == ["several_pictures"]


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_answers_that_tell_pictures_apart_are_read_for_each(
    attach: Attach, encode: Encode, preset: Path, mode: str
) -> None:
    preset.write_text(PRESET.replace('kind = "label_png"', 'kind = "tensors"'))
    shades = np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)
    attached = attach(mode=mode)
    drawings = np.stack([np.full((32, 32), 1), np.full((32, 32), 2)])
    output = {
        "name": "mask",
        "datatype": "INT64",
        "shape": list(drawings.shape),
        "data": drawings.ravel().tolist(),
    }
    attached.page.answer = lambda _: Response(
        json.dumps({"outputs": [output]}), mimetype="application/json"
    )
    attached.send(encode(shades), encode(shades[::-1]))
    assert len(attached.page.pictures) == 2
    rows = attached.rows(2)
    assert sorted(row.labels for row in rows) == [["face"], ["hair"]]
    assert {row.stage for row in rows} == {"parsed"}


def test_a_blocked_client_reaches_nothing(attach: Attach, png: bytes) -> None:
    attached = attach()
    block(attached.proxy.service, "ip:127.0.0.1")
    assert attached.send(png).status_code == 403
    assert httpx2.get(attached.url + "/page").status_code == 403
    assert attached.page.requests == []


def test_own_pages_are_not_the_services(attach: Attach) -> None:
    attached = attach()
    assert httpx2.get(attached.url + "/_maskwatch/healthz").json() == {"status": "ok"}
    assert httpx2.get(attached.url + "/_maskwatch/readyz").json() == {"status": "ready"}
    assert "maskwatch_replies" in httpx2.get(attached.url + "/_maskwatch/metrics").text
    assert httpx2.get(attached.url + "/healthz").text == "GET healthz 0"


def test_metrics_are_for_this_machine_and_for_keys(attach: Attach) -> None:
    attached = attach()
    service = attached.proxy.service
    with service.database.write() as session:
        secrets = {
            scope: add_key(session, scope.value, "ada", datetime.now(UTC), [scope])
            for scope in (KeyScope.METRICS, KeyScope.PARSE)
        }
    service.access.refresh()

    def ask(scope: KeyScope | None, **headers: str) -> int:
        key = {} if scope is None else {"X-API-Key": secrets[scope]}
        url = attached.url + "/_maskwatch/metrics"
        return httpx2.get(url, headers={**headers, **key}).status_code

    elsewhere = {"X-Forwarded-For": "198.51.100.7"}
    assert ask(None) == 200
    assert ask(None, **elsewhere) == ask(None, Forwarded="for=198.51.100.7") == 401
    assert ask(KeyScope.METRICS, **elsewhere) == 200
    assert ask(KeyScope.PARSE, **elsewhere) == ask(KeyScope.PARSE) == 403
    assert attached.page.requests == []


def test_thousands_of_connections_that_rest_keep_nobody_away(attach: Attach, png: bytes) -> None:
    attached = attach(max_connections=2_100)
    address = ("127.0.0.1", httpx2.URL(attached.url).port)
    with ExitStack() as stack:
        resting = [
            stack.enter_context(socket.create_connection(address, WAIT_SECONDS))
            for _ in range(2_000)
        ]
        assert attached.send(png).status_code == 200
        for connection in (resting[0], resting[-1]):
            connection.sendall(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
    assert attached.send(png).status_code == 200


def test_proxies_may_stand_behind_one_another(attach: Attach, tmp_path: Path) -> None:
    first = attach()
    second = attach(upstream=first.url, var_dir=tmp_path)
    assert httpx2.get(second.url + "/page").text == "GET page 0"


def test_the_service_is_asked_for_an_answer_that_can_be_read(attach: Attach, png: bytes) -> None:
    attached = attach(mode="enforce")
    headers = {"Accept-Encoding": "br", "Range": "bytes=0-9", "If-None-Match": "*"}
    assert attached.send(png, headers=headers).status_code == 200
    sent = attached.page.headers[-1]
    assert (sent.get("Accept-Encoding"), sent.get("Range")) == ("identity", None)
    assert sent.get("If-None-Match") is None


def test_a_key_of_ours_does_not_reach_the_service(attach: Attach) -> None:
    attached = attach()
    httpx2.get(attached.url + "/page", headers={"Authorization": "Bearer theirs"})
    assert attached.page.headers[-1]["Authorization"] == "Bearer theirs"
    key = "mwk_" + 43 * "a"
    for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
        httpx2.get(attached.url + "/page", headers=headers)
    assert [sent for sent in attached.page.headers if key in str(sent)] == []
