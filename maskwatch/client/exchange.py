"""A request and how it was answered, as the sidecar is told of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from secrets import token_hex

from maskwatch.client.pictures import find_pictures


@dataclass(frozen=True)
class Exchange:
    """One request of a client with the application's answer.

    Attributes:
        content_type: of the request, as the client sent it.
        chunks: its body, in pieces.
        sender: address of the client; empty if the server does not say.
        status: of the answer.
        latency_ms: from the request's arrival to the end of the answer.
        received_at: UTC.
    """

    content_type: str
    chunks: tuple[bytes, ...]
    sender: str
    status: int
    latency_ms: float
    received_at: datetime

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return sum(map(len, self.chunks))

    def write_forms(self, fields: Sequence[str]) -> Iterator[tuple[bytes, str]]:
        """A form and its media type for each picture in the request."""
        report = json.dumps(
            {
                "client": _read_address(self.sender),
                "time": self.received_at.isoformat(),
                "latency_ms": round(self.latency_ms, 3),
                "status": self.status,
            }
        )
        for picture in find_pictures(self.content_type, b"".join(self.chunks), fields):
            yield _write_form(report, picture)


def _read_address(sender: str) -> str | None:
    """The sender, if it is an address; servers on a socket of the file system say other things."""
    try:
        return str(ip_address(sender.partition("%")[0]))
    except ValueError:
        return None


def _write_form(report: str, picture: bytes) -> tuple[bytes, str]:
    boundary = token_hex(16)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="report"\r\n\r\n{report}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="picture"; filename="picture"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    form = b"".join((head.encode(), picture, f"\r\n--{boundary}--\r\n".encode()))
    return form, f"multipart/form-data; boundary={boundary}"
