"""Requests that two readers would cut apart in two ways, on real sockets."""

import json

import pytest

from tests.inference.http.conftest import Serve

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
    ],
)
def test_a_body_whose_end_is_in_doubt_is_refused_and_nothing_after_it_is_read(
    serve: Serve, headers: bytes
) -> None:
    answer = serve().say(_START + headers + b"\r\n0\r\n\r\n" + _SMUGGLED)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in head.lower()
    assert answer.count(b"HTTP/1.1") == 1
    assert _ANSWER_TO_SMUGGLED not in body
    assert b"h11" not in answer
    assert b"uvicorn" not in answer


def test_the_doubt_is_said_in_a_problem_document(serve: Serve) -> None:
    answer = serve().say(
        _START + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (body["type"], body["status"]) == ("urn:maskwatch:problem:http_400", 400)


def test_one_way_is_enough(serve: Serve) -> None:
    close = b"Connection: close\r\n"
    served = serve()
    for headers in (b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"):
        answer = served.say(_START + close + headers + b"\r\n0\r\n\r\n")
        assert b"urn:maskwatch:problem:not_multipart" in answer
