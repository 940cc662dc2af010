"""Talks to the sidecar over HTTP, with the standard library and nothing of the environment."""

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from selectors import EVENT_READ, DefaultSelector

from maskwatch.client.options import ClientOptions

PROBLEM = "application/problem+json"
# What the sidecar says of a request; with any other status it says something of itself.
_REFUSALS = frozenset({400, 403, 413, 415, 422, 429})
_PASSED_ON = ("Content-Type", "Retry-After", "X-Request-Id")
_MAX_ANSWER_BYTES = 65_536
_CHUNK_BYTES = 65_536
Headers = Sequence[tuple[str, str]]


class SidecarFault(Exception):
    """The sidecar gave no answer that can be used."""


@dataclass(frozen=True)
class Refusal:
    """An answer to the client in place of the application's."""

    status: int
    headers: tuple[tuple[str, str], ...]
    document: bytes


@dataclass(frozen=True)
class Sidecar:
    """The service that looks at pictures.

    Every request has a connection of its own: what is kept open breaks when a server forks.
    """

    options: ClientOptions

    def screen(self, body: bytes, headers: Headers, sender: str) -> Refusal | None:
        """Ask whether the application may see a body.

        Args:
            headers: those that say what the body is, as the client sent them.
            sender: address of the client, for the sidecar's blocks and rates.

        Raises:
            SidecarFault: it cannot be told.
        """
        forwarded = [("X-Forwarded-For", sender)] if sender else []
        response, document = self._post("/v1/screen", body, [*headers, *forwarded])
        if response.status == 204:
            return None
        is_problem = (response.getheader("Content-Type") or "").startswith(PROBLEM)
        if response.status not in _REFUSALS or not is_problem:
            raise SidecarFault(f"The sidecar answered {response.status}.")
        pairs = ((name, response.getheader(name)) for name in _PASSED_ON)
        known = tuple((name, value) for name, value in pairs if value is not None)
        return Refusal(response.status, known, document)

    def observe(self, form: bytes, content_type: str) -> None:
        """Report one exchange.

        Raises:
            SidecarFault: the sidecar did not take it.
        """
        response, _ = self._post("/v1/observe", form, [("Content-Type", content_type)])
        if not 200 <= response.status < 300:
            raise SidecarFault(f"The sidecar answered {response.status}.")

    def _post(self, path: str, body: bytes, headers: Headers) -> tuple[HTTPResponse, bytes]:
        address, key = self.options.address, self.options.api_key
        connection = HTTPConnection(
            address.hostname or "", address.port, timeout=self.options.timeout_seconds
        )
        keys = [("X-API-Key", key)] if key else []
        try:
            with closing(connection):
                _send_head(connection, path, [*headers, *keys], len(body))
                _send_body(connection, body)
                response = connection.getresponse()
                return response, _read_document(response)
        except (OSError, HTTPException, ValueError) as error:
            raise SidecarFault(f"The sidecar does not answer: {type(error).__name__}.") from error


def _send_head(connection: HTTPConnection, path: str, headers: Headers, length: int) -> None:
    connection.putrequest("POST", path, skip_accept_encoding=True)
    for name, value in (*headers, ("Content-Length", str(length)), ("Connection", "close")):
        connection.putheader(name, value)
    connection.endheaders()


def _send_body(connection: HTTPConnection, body: bytes) -> None:
    """Send until the answer comes: more after an early refusal would break the connection."""
    view = memoryview(body)
    with DefaultSelector() as selector, suppress(ConnectionError):
        selector.register(connection.sock, EVENT_READ)
        for start in range(0, len(view), _CHUNK_BYTES):
            if selector.select(0):
                return
            connection.send(view[start : start + _CHUNK_BYTES])


def _read_document(response: HTTPResponse) -> bytes:
    document = response.read(_MAX_ANSWER_BYTES + 1)
    if len(document) > _MAX_ANSWER_BYTES or response.length:
        raise HTTPException("The answer is too long, or not whole.")
    return document
