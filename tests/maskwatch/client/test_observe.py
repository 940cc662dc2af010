"""The mode ``observe`` in real Flask and FastAPI: the host notices nothing, the sidecar learns."""

from hashlib import sha256
from typing import Any

import httpx2
import pytest
from flask import Flask

from maskwatch.client import ASGIMiddleware, WSGIMiddleware
from tests.maskwatch.client.conftest import Sink, Start, patient_options
from tests.maskwatch.client.hosts import fastapi_app, flask_app
from tests.waiting import wait_for

Attached = tuple[Any, str]


@pytest.fixture(params=["flask", "fastapi"])
def attach(request: pytest.FixtureRequest, start_wsgi: Start, start_asgi: Start) -> Any:
    """``attach(url, ...)`` gives the middleware in front of a running host and its address."""

    def attached(url: str, **options: Any) -> Attached:
        if request.param == "flask":
            watched: Any = WSGIMiddleware(flask_app(), patient_options(url, **options))
            return watched, start_wsgi(watched)
        watched = ASGIMiddleware(fastapi_app(), patient_options(url, **options))
        return watched, start_asgi(watched)

    return attached


def _count(middleware: Any, fate: str) -> None:
    wait_for(lambda: middleware.counts()[fate] == 1)
    assert sum(middleware.counts().values()) == 1


def test_a_picture_is_reported_after_the_fact(attach: Any, sink: Sink, picture: bytes) -> None:
    middleware, host = attach(sink.url)
    answer = httpx2.post(f"{host}/parse", files={"image": ("a.jpg", picture)})
    assert answer.json()["sha256"] == sha256(picture).hexdigest()
    wait_for(lambda: sink.reports)
    report = sink.reports[0]
    assert (report["picture"], report["status"]) == (picture, 200)
    assert (report["client"], report["latency_ms"] > 0) == ("127.0.0.1", True)
    _count(middleware, "reported")


def test_chunked_bodies_are_reported_too(attach: Any, sink: Sink, picture: bytes) -> None:
    middleware, host = attach(sink.url)
    chunks = (picture[start : start + 999] for start in range(0, len(picture), 999))
    headers = {"Content-Type": "image/jpeg"}
    answer = httpx2.post(f"{host}/echo", content=chunks, headers=headers)
    assert answer.content == picture
    wait_for(lambda: sink.reports)
    assert sink.reports[0]["picture"] == picture
    _count(middleware, "reported")


def test_the_host_answers_while_the_sidecar_is_away(
    attach: Any, nobody: str, picture: bytes
) -> None:
    middleware, host = attach(nobody)
    answer = httpx2.post(f"{host}/parse", files={"image": ("a.jpg", picture)})
    assert answer.status_code == 200
    _count(middleware, "not_taken")


def test_a_large_body_passes_unobserved(attach: Any, sink: Sink) -> None:
    middleware, host = attach(sink.url, max_body_bytes=10_000)
    body = bytes(1_000_000)
    assert httpx2.post(f"{host}/echo", content=body).content == body
    _count(middleware, "too_large")
    assert sink.reports == []


def test_a_body_that_the_host_does_not_read_is_counted(attach: Any, sink: Sink) -> None:
    middleware, host = attach(sink.url)
    headers = {"Content-Type": "image/png"}
    assert httpx2.post(f"{host}/ignore", content=b"picture", headers=headers).status_code == 200
    _count(middleware, "unread")


def test_a_body_without_a_picture_is_not_reported(attach: Any, sink: Sink) -> None:
    middleware, host = attach(sink.url)
    httpx2.post(f"{host}/echo", json={"text": "no picture"})
    _count(middleware, "no_picture")


def test_requests_without_a_body_and_plain_paths_are_not_looked_at(attach: Any, sink: Sink) -> None:
    middleware, host = attach(sink.url, plain_paths=["/echo"])
    assert "page" in httpx2.get(f"{host}/page").text
    assert httpx2.post(f"{host}/echo", content=b"abc").content == b"abc"
    assert httpx2.post(f"{host}/nowhere").status_code == 404
    assert sum(middleware.counts().values()) == 0


def test_an_error_of_the_host_is_reported_as_one(
    start_wsgi: Start, sink: Sink, picture: bytes
) -> None:
    app = flask_app()
    # As a debugger in front of it would.
    app.config["PROPAGATE_EXCEPTIONS"] = False
    host = start_wsgi(WSGIMiddleware(app, patient_options(sink.url)))
    headers = {"Content-Type": "image/jpeg"}
    assert httpx2.post(f"{host}/broken", content=picture, headers=headers).status_code == 500
    wait_for(lambda: sink.reports)
    assert sink.reports[0]["status"] == 500


def test_flask_may_take_it_as_its_own_documentation_says(
    start_wsgi: Start, sink: Sink, picture: bytes
) -> None:
    app: Flask = flask_app()
    app.wsgi_app = WSGIMiddleware(app.wsgi_app, patient_options(sink.url))  # type: ignore[method-assign]
    host = start_wsgi(app)
    assert httpx2.post(f"{host}/parse", files={"image": ("a", picture)}).status_code == 200
    wait_for(lambda: sink.reports)


def test_fastapi_may_take_it_as_its_own_documentation_says(
    start_asgi: Start, sink: Sink, picture: bytes
) -> None:
    app = fastapi_app()
    app.add_middleware(ASGIMiddleware, options=patient_options(sink.url))
    host = start_asgi(app)
    assert httpx2.post(f"{host}/parse", files={"image": ("a", picture)}).status_code == 200
    wait_for(lambda: sink.reports)
