"""One exchange that was watched."""

from dataclasses import dataclass

from inference.upstream.requests.headers import Headers


@dataclass(frozen=True)
class Sample:
    """A request with a body, and its answer.

    Attributes:
        path: as it was sent, without the query.
        headers: of the request.
        body: ``None`` if it was larger than is kept, or the client left.
        answer: without its transport's compression; ``None`` likewise, or if it cannot be unpacked.
    """

    method: str
    path: bytes
    headers: Headers
    body: bytes | None
    status: int
    content_type: str
    answer: bytes | None

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.body or b"") + len(self.answer or b"")

    @property
    def route(self) -> str:
        """Method and path for people."""
        return f"{self.method} {self.path.decode('latin-1')}"
