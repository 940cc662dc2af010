"""The mode ``gate`` in real Flask and FastAPI, with the real service as the sidecar."""

from hashlib import sha256
from typing import Any

import httpx2
import pytest

from maskwatch.client import ASGIMiddleware, Mode, WSGIMiddleware
from tests.inference.http.conftest import Served, block, stored_row
from tests.maskwatch.client.conftest import Start, patient_options
from tests.maskwatch.client.hosts import fastapi_app, flask_app
from tests.waiting import PATIENCE_SECONDS

BAD = b"\x89PNG\r\n\x1a\n" + bytes(500)


@pytest.fixture(params=["flask", "fastapi"])
def attach(request: pytest.FixtureRequest, start_wsgi: Start, start_asgi: Start) -> Any:
    """``attach(url, ...)`` gives the middleware in front of a running host and its address."""

    def attached(url: str, **changes: Any) -> tuple[Any, str]:
        options = patient_options(url, Mode.GATE, **changes)
        if request.param == "flask":
            guard: Any = WSGIMiddleware(flask_app(), options)
            return guard, start_wsgi(guard)
        guard = ASGIMiddleware(fastapi_app(), options)
        return guard, start_asgi(guard)

    return attached


def _post(host: str, data: bytes) -> httpx2.Response:
    return httpx2.post(f"{host}/parse", files={"image": ("a.jpg", data)}, data={"note": "hello"})


def test_the_host_sees_an_accepted_picture_unchanged(
    attach: Any, sidecar: Served, picture: bytes
) -> None:
    guard, host = attach(sidecar.url)
    answer = _post(host, picture)
    assert answer.status_code == 200
    assert answer.json()["sha256"] == sha256(picture).hexdigest()
    assert guard.counts()["accepted"] == 1


def test_the_client_gets_the_sidecars_refusal(attach: Any, sidecar: Served) -> None:
    guard, host = attach(sidecar.url)
    answer = _post(host, BAD)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:maskwatch:problem:unreadable"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    row = stored_row(sidecar.service, answer.json()["request_id"])
    assert (row.client, row.route) == ("ip:127.0.0.1", "screen")
    assert guard.counts()["refused"] == 1


def test_a_blocked_client_is_refused_however_much_it_sends(attach: Any, sidecar: Served) -> None:
    block(sidecar.service, "ip:127.0.0.1")
    _, host = attach(sidecar.url)
    assert _post(host, bytes(20_000_000)).status_code == 403


def test_chunked_bodies_reach_the_host_unchanged(
    attach: Any, sidecar: Served, picture: bytes
) -> None:
    _, host = attach(sidecar.url)
    chunks = (picture[start : start + 999] for start in range(0, len(picture), 999))
    headers = {"Content-Type": "image/jpeg"}
    assert httpx2.post(f"{host}/echo", content=chunks, headers=headers).content == picture


def test_a_second_file_does_not_slip_past(attach: Any, sidecar: Served, picture: bytes) -> None:
    _, host = attach(sidecar.url)
    files = [("image", ("a.jpg", picture)), ("image", ("b.jpg", BAD))]
    answer = httpx2.post(f"{host}/parse", files=files)
    assert answer.json()["type"] == "urn:maskwatch:problem:wrong_field"


def test_a_compressed_body_is_refused(attach: Any, sidecar: Served) -> None:
    _, host = attach(sidecar.url)
    headers = {"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}
    assert httpx2.post(f"{host}/echo", content=b"x", headers=headers).status_code == 415


def test_a_body_of_another_kind_is_refused_unless_its_path_is_plain(
    attach: Any, sidecar: Served
) -> None:
    _, strict = attach(sidecar.url)
    _, lenient = attach(sidecar.url, plain_paths=["/echo"])
    form = {"name": "somebody"}
    assert httpx2.post(f"{strict}/echo", data=form).status_code == 400
    assert httpx2.post(f"{lenient}/echo", data=form).content == b"name=somebody"


def test_requests_without_a_body_pass_without_a_question(attach: Any, nobody: str) -> None:
    guard, host = attach(nobody)
    assert "page" in httpx2.get(f"{host}/page").text
    assert sum(guard.counts().values()) == 0


@pytest.mark.parametrize(("fails_open", "status"), [(False, 503), (True, 200)])
def test_a_sidecar_that_is_away_refuses_or_passes_by_setting(
    attach: Any, nobody: str, picture: bytes, fails_open: bool, status: int
) -> None:
    guard, host = attach(nobody, fails_open=fails_open)
    answer = _post(host, picture)
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) is not fails_open
    assert guard.counts()["not_screened"] == 1


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("fails_open", [False, True])
def test_a_body_over_the_limit_is_refused_or_passes_whole(
    attach: Any, nobody: str, fails_open: bool, is_chunked: bool
) -> None:
    guard, host = attach(nobody, fails_open=fails_open, max_body_bytes=100_000)
    body = bytes(range(250)) * 1_000
    content: Any = (body[start : start + 7_000] for start in range(0, len(body), 7_000))
    answer = httpx2.post(f"{host}/echo", content=content if is_chunked else body)
    if fails_open:
        assert answer.content == body
    else:
        assert answer.json()["type"] == "urn:maskwatch:problem:too_many_bytes"
    assert guard.counts()["too_large"] == 1


def test_both_modes_may_stand_behind_one_another(sidecar: Served, picture: bytes) -> None:
    inner = WSGIMiddleware(flask_app(), patient_options(sidecar.url))
    outer = WSGIMiddleware(inner, patient_options(sidecar.url, Mode.GATE))
    with httpx2.Client(transport=httpx2.WSGITransport(app=outer)) as client:
        answer = client.post("http://host/parse", files={"image": ("a.jpg", picture)})
    assert answer.json()["sha256"] == sha256(picture).hexdigest()
    assert inner.flush(PATIENCE_SECONDS)
    assert outer.counts()["accepted"] == 1
