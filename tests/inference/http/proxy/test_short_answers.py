"""Answers that name a call or a file: none that can be read in two ways, or costs much, does."""

from base64 import b64encode
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Response

from tests.inference.http.proxy.conftest import WAIT_SECONDS, Attach, Attached
from tests.maskwatch.client.conftest import serving_asgi

API = "/gradio_api"
HOSTILE = [
    b'{"event_id": "a", "event_id": "b"}',
    b'{"event_id": NaN}',
    b'\xef\xbb\xbf{"event_id": "a"}',
    b'{"event_id": ' + b"[" * 100_000,
    b"[" + b"[]," * 6_000 + b"[]]",
    b'["a", "b"] ["c"]',
]


def _build(answer: bytes) -> FastAPI:
    app = FastAPI()

    @app.post("/gradio_api/{way:path}")
    async def take(way: str) -> Response:
        return Response(answer, media_type="application/json")

    return app


def _call(attached: Attached, png: bytes) -> httpx2.Response:
    file = {"url": f"data:image/png;base64,{b64encode(png).decode()}"}
    body: dict[str, Any] = {"data": [file]}
    return httpx2.post(f"{attached.url}{API}/call/parse", json=body, timeout=WAIT_SECONDS)


def _upload(attached: Attached, png: bytes) -> httpx2.Response:
    files = [("files", ("a.png", png, "image/png"))]
    return httpx2.post(f"{attached.url}{API}/upload", files=files, timeout=WAIT_SECONDS)


@pytest.mark.parametrize("answer", HOSTILE, ids=map(str, range(len(HOSTILE))))
def test_what_can_be_read_in_two_ways_names_nothing(
    attach: Attach, png: bytes, answer: bytes
) -> None:
    with serving_asgi(_build(answer)) as upstream:
        attached = attach(upstream=upstream, preset="gradio")
        assert _call(attached, png).content == answer
        assert _upload(attached, png).content == answer
        rows = attached.rows(2)
    assert [row.reasons for row in rows] == [["answer_not_read"], []]
    assert (len(attached.proxy.calls), len(attached.proxy.uploads)) == (0, 0)


def test_what_is_clear_names_a_call_or_a_file(attach: Attach, png: bytes) -> None:
    with serving_asgi(_build(b'{"event_id": "a"}')) as upstream:
        attached = attach(upstream=upstream, preset="gradio")
        _call(attached, png)
        assert len(attached.proxy.calls) == 1
    with serving_asgi(_build(b'["/tmp/a.png"]')) as upstream:
        attached = attach(upstream=upstream, preset="gradio")
        _upload(attached, png)
        assert len(attached.proxy.uploads) == 1
