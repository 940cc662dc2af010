"""Answers of a sidecar, good ones and bad ones."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from threading import Thread

import pytest

from maskwatch.client.sidecar import Sidecar, SidecarFault
from tests.maskwatch.client.conftest import patient_options

Answer = Callable[[bytes], str]
PROBLEM = b"Content-Type: application/problem+json\r\n"
TYPE = [("Content-Type", "image/png")]


@pytest.fixture
def answering() -> Iterator[Answer]:
    """A sidecar that answers with these bytes as soon as it has the head of a request."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threads = []

        def start(answer: bytes) -> str:
            threads.append(Thread(target=_answer_once, args=(listener, answer)))
            threads[-1].start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield start
        for thread in threads:
            thread.join()


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    # The client closes when it has seen enough.
    with connection, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass


def _screen(url: str, body: bytes = b"picture") -> object:
    return Sidecar(patient_options(url)).screen(body, TYPE, "203.0.113.7")


def test_a_refusal_that_comes_before_the_whole_body_is_understood(answering: Answer) -> None:
    url = answering(b"HTTP/1.1 403 No\r\n" + PROBLEM + b"Content-Length: 2\r\n\r\n{}")
    refusal = Sidecar(patient_options(url)).screen(bytes(40_000_000), TYPE, "203.0.113.7")
    assert refusal is not None
    assert (refusal.status, refusal.document) == (403, b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 403 No\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 No\r\n" + PROBLEM + b"Content-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 404 No\r\n" + PROBLEM + b"Content-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 500 No\r\n" + PROBLEM + b"Content-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 403 No\r\n" + PROBLEM + b"Content-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 403 No\r\n" + PROBLEM + b"\r\n" + bytes(100_000),
        b"no HTTP\r\n\r\n",
    ],
)
def test_what_is_no_answer_to_the_question_is_a_fault(answering: Answer, answer: bytes) -> None:
    with pytest.raises(SidecarFault):
        _screen(answering(answer))


def test_a_sidecar_that_is_away_is_a_fault(nobody: str) -> None:
    with pytest.raises(SidecarFault):
        _screen(nobody)


def test_a_media_type_that_is_no_header_is_a_fault(nobody: str) -> None:
    with pytest.raises(SidecarFault):
        Sidecar(patient_options(nobody)).screen(b"x", [("Content-Type", "a\r\nb: c")], "")
