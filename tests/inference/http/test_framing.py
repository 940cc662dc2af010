"""Requests that two readers would cut apart in two ways, on real sockets."""

import json

import pytest

from tests.inference.http.conftest import Serve, Served

_START = b"POST /v1/parse HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
_SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
_ANSWER_TO_SMUGGLED = b'{"status":"ok"}'


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"content-length: 5\r\nTRANSFER-ENCODING: Chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: chunked;q=1\r\n",
        b'Transfer-Encoding: "chunked"\r\n',
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Transfer-Encoding: chunked\0\r\n",
        b"Transfer-Encoding:\r\n",
        b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding\t: chunked\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 5.0\r\n",
        b"Content-Length: 5 5\r\n",
        b"Content-Length: five\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: 5,\r\n",
        b"Content-Length: 5e0\r\n",
        b"Content-Length : 5\r\n",
        b"Content-Length: 5\r\nContent-Length: +5\r\n",
        b"Content-Length: " + b"9" * 30 + b"\r\n",
        b"X: a\0b\r\n",
        b"X: a\rb\r\n",
        b": nameless\r\n",
        b"X y: z\r\n",
        b"X\r\n",
        b"Host: b\r\n",
    ],
)
def test_a_body_whose_end_is_in_doubt_is_refused_and_nothing_after_it_is_read(
    shared: Served, headers: bytes
) -> None:
    answer = shared.say(_START + headers + b"\r\n0\r\n\r\n" + _SMUGGLED)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in head.lower()
    assert answer.count(b"HTTP/1.1") == 1
    assert _ANSWER_TO_SMUGGLED not in body
    assert b"h11" not in answer
    assert b"uvicorn" not in answer


@pytest.mark.parametrize(
    "chunks",
    [
        b"g\r\n",
        b"-1\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"5_0\r\nhello\r\n0\r\n\r\n",
        b"\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"5\r\nhello\r\n0\r\nX y\r\n\r\n",
        b"f" * 17 + b"\r\n",
        b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"5\r\nhello\r\n0\r\nX: a\0\r\n\r\n",
    ],
)
def test_after_chunks_that_are_none_nothing_is_read(serve: Serve, chunks: bytes) -> None:
    start = _START + b"Transfer-Encoding: chunked\r\n\r\n"
    served = serve()
    served.set_limits(body_seconds=1.0, header_seconds=1.0, parting_seconds=0.2)
    answer = served.say(start + chunks + _SMUGGLED)
    assert answer.count(b"HTTP/1.1") <= 1
    assert _ANSWER_TO_SMUGGLED not in answer


@pytest.mark.parametrize(
    "line",
    [
        b"GET /healthz\r\n",
        b"GET  /healthz HTTP/1.1\r\n",
        b"GET /healthz HTTP/1.1 \r\n",
        b"GET /healthz HTTP/11\r\n",
        b"GET /healthz http/1.1\r\n",
        b"GET /heal thz HTTP/1.1\r\n",
        b"GET /healthz\tHTTP/1.1\r\n",
        b"G\0T /healthz HTTP/1.1\r\n",
        b" GET /healthz HTTP/1.1\r\n",
        b"GET /healthz HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"\x16\x03\x01\x02\0\x01\0\r\n",
    ],
)
def test_a_first_line_that_is_none_is_refused(shared: Served, line: bytes) -> None:
    answer = shared.say(line + b"Host: a\r\n\r\n" + _SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert _ANSWER_TO_SMUGGLED not in answer


def test_the_doubt_is_said_in_a_problem_document(shared: Served) -> None:
    answer = shared.say(
        _START + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (body["type"], body["status"]) == ("urn:maskwatch:problem:http_400", 400)


def test_one_way_is_enough(shared: Served) -> None:
    close = b"Connection: close\r\n"
    for headers in (b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"):
        answer = shared.say(_START + close + headers + b"\r\n0\r\n\r\n")
        assert b"urn:maskwatch:problem:not_multipart" in answer
