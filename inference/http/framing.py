"""Requests whose end is in doubt."""

from uuid import uuid4

from starlette.types import ASGIApp, Receive, Scope, Send

from inference.http.problems import problem

_CHUNKED = b"transfer-encoding"
_LENGTHS = {b"content-length", _CHUNKED}


class OneFraming:
    """Refuses a request that says twice, in two ways, how long it is (RFC 9112, section 6.3).

    A proxy that believes the other of the two would see another request begin where this one goes
    on: that is how requests are smuggled past it. So would one that knows no chunks, which HTTP/1.0
    has not (section 6.1). The HTTP parser refuses all other contradictions.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it 400 and close the connection."""
        if scope["type"] == "http" and _is_unclear(scope):
            await _refuse(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_unclear(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]} & _LENGTHS
    return names == _LENGTHS or (_CHUNKED in names and scope["http_version"] == "1.0")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    sentence = "Give the length of the body in one way only."
    answer = problem("http_400", 400, sentence, str(uuid4()), {"Connection": "close"})
    await answer(scope, receive, send)
