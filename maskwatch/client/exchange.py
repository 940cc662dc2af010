"""A request and how it was answered, as the sidecar is told of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
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
        values = {
            "client": f"ip:{self.sender}" if self.sender else "",
            "status": str(self.status),
            "latency_ms": f"{self.latency_ms:.3f}",
            "received_at": self.received_at.isoformat(),
        }
        for picture in find_pictures(self.content_type, b"".join(self.chunks), fields):
            yield _write_form({name: value for name, value in values.items() if value}, picture)


def _write_form(values: dict[str, str], picture: bytes) -> tuple[bytes, str]:
    boundary = token_hex(16)
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="picture"; filename="picture"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    form = b"".join(
        ("".join(lines).encode(), head.encode(), picture, f"\r\n--{boundary}--\r\n".encode())
    )
    return form, f"multipart/form-data; boundary={boundary}"
