"""Attaches a WSGI application: Flask, Django, Bottle and others (PEP 3333)."""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from io import BufferedReader, BytesIO, RawIOBase
from typing import TYPE_CHECKING, Any

from maskwatch.client.middleware import Middleware, Watch
from maskwatch.client.options import ClientOptions, Mode
from maskwatch.client.sidecar import Headers, Refusal
from maskwatch.client.tap import BodyTap, InputStream, TappedInput

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_CHUNK_BYTES = 65_536


class WSGIMiddleware(Middleware):
    """``app.wsgi_app = WSGIMiddleware(app.wsgi_app, ClientOptions("http://127.0.0.1:8080"))``.

    The client is what the server calls ``REMOTE_ADDR``: put this inside of whatever corrects it.
    """

    def __init__(self, app: "WSGIApplication", options: ClientOptions) -> None:
        super().__init__(options)
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO", "") in self._options.plain_paths or not _may_have_body(environ):
            return self._app(environ, start_response)
        handle = self._gate if self._options.mode is Mode.GATE else self._observe
        return handle(environ, start_response)

    def _observe(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        tap = BodyTap(self._options.max_body_bytes, _announced_bytes(environ))
        environ["wsgi.input"] = TappedInput(environ["wsgi.input"], tap)
        watch = self._watch(environ.get("CONTENT_TYPE", ""), environ.get("REMOTE_ADDR", ""), tap)

        def start(status: str, *rest: Any) -> Callable[[bytes], object]:
            watch.status = int(status[:3]) if status[:3].isdecimal() else 500
            return start_response(status, *rest)

        try:
            return _WatchedAnswer(self._app(environ, start), watch)
        except BaseException:
            watch.finish()
            raise

    def _gate(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        declared = _declared_bytes(environ)
        limit = self._options.max_body_bytes
        body = b"" if (declared or 0) > limit else _read(environ["wsgi.input"], declared, limit)
        if max(declared or 0, len(body)) > limit:
            refusal = self._screening.judge_too_large()
        else:
            refusal = self._ask(environ, body)
        if refusal is not None:
            return _refuse(refusal, start_response)
        environ["wsgi.input"] = _replay(body, environ["wsgi.input"], limit)
        return self._app(environ, start_response)

    def _ask(self, environ: "WSGIEnvironment", body: bytes) -> Refusal | None:
        if not body:
            return None
        return self._screening.ask(body, _describe_body(environ), environ.get("REMOTE_ADDR", ""))


class _WatchedAnswer:
    """The application's answer; the exchange ends when the server closes it."""

    def __init__(self, answer: Iterable[bytes], watch: Watch) -> None:
        self._answer = answer
        self._watch = watch

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            self._watch.finish()


class _Chained(RawIOBase):
    """What was read already, then the rest of a stream that has an end of its own."""

    def __init__(self, head: bytes, rest: InputStream) -> None:
        self._head = BytesIO(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        chunk = self._head.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _may_have_body(environ: "WSGIEnvironment") -> bool:
    return (
        environ.get("CONTENT_LENGTH", "") not in {"", "0"}
        or "HTTP_TRANSFER_ENCODING" in environ
        or bool(environ.get("wsgi.input_terminated"))
    )


def _declared_bytes(environ: "WSGIEnvironment") -> int | None:
    length = environ.get("CONTENT_LENGTH", "")
    return int(length) if length.isdecimal() else None


def _announced_bytes(environ: "WSGIEnvironment") -> int | None:
    """Bytes of the body; ``None`` for one that comes in chunks, 0 for none at all."""
    declared = _declared_bytes(environ)
    return 0 if declared is None and "HTTP_TRANSFER_ENCODING" not in environ else declared


def _read(stream: InputStream, declared: int | None, limit: int) -> bytes:
    """The body, or one byte more than the limit of it; without a declared length to its end."""
    remaining = limit + 1 if declared is None else declared
    chunks = []
    while remaining and (chunk := stream.read(min(remaining, _CHUNK_BYTES))):
        chunks.append(chunk)
        remaining -= len(chunk)
    return b"".join(chunks)


def _replay(body: bytes, stream: InputStream, limit: int) -> InputStream:
    if not body:
        return stream
    return BytesIO(body) if len(body) <= limit else BufferedReader(_Chained(body, stream))


def _describe_body(environ: "WSGIEnvironment") -> Headers:
    keys = {"CONTENT_TYPE": "Content-Type", "HTTP_CONTENT_ENCODING": "Content-Encoding"}
    return [(name, environ[key]) for key, name in keys.items() if environ.get(key)]


def _refuse(refusal: Refusal, start_response: "StartResponse") -> Iterable[bytes]:
    length = ("Content-Length", str(len(refusal.document)))
    status = f"{refusal.status} {HTTPStatus(refusal.status).phrase}"
    start_response(status, [*refusal.headers, length])
    return [refusal.document]
