"""Clients that mean harm, over real sockets: what they send is gated, refused, or no picture."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from urllib.parse import urlsplit

import httpx2
import numpy as np
import pytest
from flask import Response

from detectors.parsing import Image
from tests.inference.http.proxy.conftest import WAIT_SECONDS, Attach, Attached
from tests.waiting import wait_for

Encode = Callable[..., bytes]
HOSTILE = b"GIF89a" + bytes(40)


def _say(attached: Attached, data: bytes) -> bytes:
    """All that comes back until the connection is closed or nothing comes for long."""
    address = urlsplit(attached.url)
    said = b""
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        connection.settimeout(WAIT_SECONDS)
        with suppress(ConnectionError):
            connection.sendall(data)
            while piece := connection.recv(65_536):
                said += piece
    return said


def _head(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([line, b"Host: a", *headers, b"", b""])


def _form(*parts: bytes, boundary: bytes = b"b") -> bytes:
    lines = [
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="image"; '
        b'filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + part + b"\r\n"
        for part in parts
    ]
    return b"".join(lines) + b"--" + boundary + b"--\r\n"


def _post(body: bytes, *headers: bytes, path: bytes = b"/parse") -> bytes:
    lengths = (b"Content-Length: %d" % len(body), b"Connection: close")
    return _head(b"POST " + path + b" HTTP/1.1", *lengths, *headers) + body


def _typed(body: bytes, content_type: bytes) -> bytes:
    return _post(body, b"Content-Type: " + content_type)


BAD_BODIES = {
    "two boundaries": _typed(_form(HOSTILE), b"multipart/form-data; boundary=b; boundary=c"),
    "two types": _post(
        _form(HOSTILE), b"Content-Type: multipart/form-data; boundary=b", b"Content-Type: image/png"
    ),
    "an epilogue": _typed(_form(HOSTILE) + _form(HOSTILE), b"multipart/form-data; boundary=b"),
    "a preamble": _typed(b"x\r\n" + _form(HOSTILE), b"multipart/form-data; boundary=b"),
    "JSON with a mark": _typed(b'\xef\xbb\xbf{"image": "R0lGODlh"}', b"application/json"),
    "JSON in UTF-16": _typed('{"image": "R0lGODlh"}'.encode("utf-16"), b"application/json"),
    "JSON twice": _typed(b'{"image": "R0lGODlh"} {"image": ""}', b"application/json"),
    "a picture packed": _post(
        _form(HOSTILE), b"Content-Type: multipart/form-data; boundary=b", b"Content-Encoding: gzip"
    ),
    "no body": _typed(b"", b"multipart/form-data; boundary=b"),
    "HTTP/1.0 with chunks": _head(
        b"POST /parse HTTP/1.0",
        b"Transfer-Encoding: chunked",
        b"Content-Type: multipart/form-data; boundary=b",
    )
    + b"%x\r\n%s\r\n0\r\n\r\n" % (len(_form(HOSTILE)), _form(HOSTILE)),
    "two framings": _head(
        b"POST /parse HTTP/1.1",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
    )
    + b"0\r\n\r\n"
    + _post(_form(HOSTILE)),
    "an absolute target": _post(_form(HOSTILE), path=b"http://a/parse"),
    "a tunnel": _head(b"CONNECT a:80 HTTP/1.1", b"Connection: close"),
    "many headers": _head(b"GET /page HTTP/1.1", *(b"A%d:b" % n for n in range(4_000))),
}


@pytest.mark.parametrize("mode", ["monitor", "enforce"])
@pytest.mark.parametrize("name", BAD_BODIES)
def test_what_two_readers_could_read_differently_reaches_nobody(
    attach: Attach, name: str, mode: str
) -> None:
    attached = attach(mode=mode)
    status = _say(attached, BAD_BODIES[name]).split(b" ")[1]
    assert status.startswith((b"4", b"5")), status
    assert attached.page.requests == []


@pytest.mark.parametrize(
    "path", [b"/parse%2F", b"/%2Fparse", b"/x%2f..%2fparse", b"/parse;a=b", b"//parse", b"/parse/."]
)
def test_another_spelling_of_a_path_is_no_door(attach: Attach, path: bytes) -> None:
    attached = attach(mode="enforce")
    data = _post(_form(HOSTILE), b"Content-Type: multipart/form-data; boundary=b", path=path)
    assert _say(attached, data).startswith(b"HTTP/1.1 404 ")
    assert attached.page.requests == []


@pytest.mark.parametrize(
    "header",
    [b"X-Original-URL: /parse", b"X_Rewrite_Url: http://a/parse?b", b"X-HTTP-Method: PUT"],
)
def test_a_header_does_not_lead_past_the_gate(attach: Attach, header: bytes) -> None:
    attached = attach(mode="enforce")
    data = _post(_form(HOSTILE), header, path=b"/log")
    assert _say(attached, data).startswith(b"HTTP/1.1 404 ")
    assert _say(attached, _post(b"a", b"X-Original-URL: http://a/log?b", path=b"/log")).startswith(
        b"HTTP/1.1 200 "
    )
    assert [path for _, path in attached.page.requests] == ["/log"]


def test_a_picture_in_trailers_is_none(attach: Attach, png: bytes) -> None:
    attached = attach()
    form = _form(png)
    chunks = b"%x\r\n%s\r\n0\r\nX-Image: GIF89a\r\nContent-Type: image/gif\r\n\r\n"
    head = _head(
        b"POST /parse HTTP/1.1",
        b"Transfer-Encoding: chunked",
        b"Content-Type: multipart/form-data; boundary=b",
        b"Trailer: X-Image",
        b"Connection: close",
    )
    assert _say(attached, head + chunks % (len(form), form)).startswith(b"HTTP/1.1 200 ")
    assert attached.page.pictures == [png]
    (headers,) = attached.page.headers
    assert not {"X-Image", "Trailer", "Transfer-Encoding"} & set(headers)
    assert headers["Content-Type"].startswith("multipart/form-data; boundary=")


def test_each_request_of_a_pipeline_is_gated(attach: Attach, png: bytes) -> None:
    attached = attach(mode="enforce")
    form = b"Content-Type: multipart/form-data; boundary=b"
    open_ones = [_post(_form(file), form) for file in (png, HOSTILE)]
    last = _head(b"GET /page HTTP/1.1", b"Connection: close")
    data = b"".join(each.replace(b"Connection: close\r\n", b"") for each in open_ones) + last
    said = _say(attached, data)
    assert [part.split(b" ", 1)[0] for part in said.split(b"HTTP/1.1 ")[1:]] == [
        b"200",
        b"415",
        b"200",
    ]
    assert attached.page.pictures == [png]


def test_an_old_client_has_its_answer(attach: Attach, png: bytes) -> None:
    attached = attach()
    form = _form(png)
    head = b"POST /parse HTTP/1.0\r\nContent-Length: %d\r\n" % len(form)
    said = _say(attached, head + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + form)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"\x89PNG" in said
    assert b"transfer-encoding: chunked" not in said.lower()
    assert attached.page.pictures == [png]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE"])
def test_a_door_asked_in_another_way_passes_without_a_body_alone(
    attach: Attach, method: str
) -> None:
    attached = attach(mode="enforce")
    expected = httpx2.request(method, attached.proxy.settings.relay.upstream + "/parse")
    assert httpx2.request(method, attached.url + "/parse").status_code == expected.status_code
    refused = httpx2.request(method, attached.url + "/parse", content=_form(HOSTILE))
    assert refused.status_code == 404


def test_a_slow_client_holds_no_memory_in_monitor(attach: Attach, encode: Encode) -> None:
    attached = attach(slow_client_seconds=1e-9)
    png = encode(np.zeros((300, 300, 3), np.uint8))
    seen = []

    def answer(_: Image) -> Response:
        seen.append(attached.proxy.memory.used_bytes)
        return Response(bytes(100_000), mimetype="image/png")

    attached.page.answer = answer
    response = attached.send(png)
    assert (response.status_code, len(response.content)) == (200, 100_000)
    (row,) = attached.rows(1)
    assert (row.stage, row.reasons) == ("gate", ["not_measured"])
    assert seen[0] >= 270_000
    wait_for(lambda: attached.proxy.memory.used_bytes == 0)


def test_a_slow_client_is_left_where_its_answer_is_held(attach: Attach, png: bytes) -> None:
    attached = attach(mode="enforce", unread_answers="pass", slow_client_seconds=1e-9)
    attached.page.answer = lambda _: Response(bytes(5_000_000), mimetype="image/png")
    with pytest.raises(httpx2.RemoteProtocolError):
        attached.send(png)
    (row,) = attached.rows(1)
    assert row.reasons == ["answer_not_read"]
    wait_for(lambda: attached.proxy.memory.used_bytes == 0)


def test_one_client_does_not_take_the_memory_of_all(attach: Attach, encode: Encode) -> None:
    small = {"max_answer_mb": 1, "max_decoded_pixels": 100_000, "trusted_proxies": "127.0.0.1/32"}
    attached, may_answer = attach(**small, max_held_client_mb=1), Event()
    png = encode(np.zeros((300, 300, 3), np.uint8))

    def wait(_: Image) -> Response:
        assert may_answer.wait(WAIT_SECONDS)
        return Response(b"", mimetype="image/png")

    attached.page.answer = wait
    ours, theirs = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in (7, 8))
    with ThreadPoolExecutor(5) as threads:
        sent = [threads.submit(attached.send, png, headers=ours) for _ in range(4)]
        wait_for(lambda: len(attached.page.pictures) == 4)
        refused = attached.send(png, headers=ours)
        sent.append(threads.submit(attached.send, png, headers=theirs))
        wait_for(lambda: len(attached.page.pictures) == 5)
        may_answer.set()
        assert [each.result().status_code for each in sent] == [200] * 5
    assert (refused.status_code, len(attached.page.pictures)) == (503, 5)
