"""Middleware around every request and websocket: right host, same origin, signed in."""

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access import signed_out_pages as notices
from dashboard.access.origins import read_host_name, read_origin
from dashboard.access.sessions import secret_of, set_cookie, subject_of
from dashboard.access.sign_in import RETURN_COOKIE, SIGN_IN, SIGN_OUT, local_path
from dashboard.settings import LOOPBACK_NAMES
from dashboard.wiring import Parts
from store.engine.database import StoreUnavailable

_NOT_SIGNED_IN, _NOT_ALLOWED, _TRY_LATER = 4401, 1008, 1013
_RETURN_SECONDS = 900

# Streamlit's charts compile expressions at run time and its styles are inline; nothing is loaded
# from, or sent to, another host.
_CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": _CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def protection(parts: Parts) -> list[Middleware]:
    """The middleware of the dashboard, outermost first."""
    return [
        Middleware(SecurityHeaders),
        Middleware(HostCheck, parts=parts),
        Middleware(SessionCheck, parts=parts),
    ]


class SecurityHeaders:
    """Adds headers that keep links private and the pages out of frames."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or websocket."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers)


class HostCheck:
    """Refuses other host names (DNS rebinding) and websockets from other origins."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self.app = app
        self._names = parts.settings.host_names()
        self._public_origin = read_origin(parts.settings.dashboard.public_url())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or websocket."""
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = _join(headers, "host")
        if read_host_name(host) not in self._names:
            return _refuse(scope, notices.wrong_host(), _NOT_ALLOWED)
        if scope["type"] == "websocket" and not self._is_own(_join(headers, "origin"), host):
            return _refuse(scope, notices.wrong_host(), _NOT_ALLOWED)
        return None

    def _is_own(self, text: str, host: str) -> bool:
        """Whether a page of the dashboard itself opens the websocket.

        The setting says which scheme the browser sees: a proxy may have taken the TLS off.
        Loopback is reached without a proxy, over whichever port somebody forwards.
        """
        origin = read_origin(text)
        is_forwarded = read_host_name(host) in LOOPBACK_NAMES and origin == read_origin(
            f"http://{host}"
        )
        return origin is not None and (origin == self._public_origin or is_forwarded)


class SessionCheck:
    """Lets only signed-in browsers through, except to the sign-in addresses themselves."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self.app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or websocket."""
        if scope["type"] == "lifespan" or scope["path"] in {SIGN_IN, SIGN_OUT}:
            handler: ASGIApp = _answer_store_faults(self.app)
        else:
            handler = await self._refusal(scope) or self.app
        await handler(scope, receive, send)

    async def _refusal(self, scope: Scope) -> ASGIApp | None:
        connection = HTTPConnection(scope)
        try:
            who = await run_in_threadpool(subject_of, self._parts, secret_of(connection))
        except StoreUnavailable as error:
            return _refuse(scope, notices.store_away(str(error)), _TRY_LATER)
        if who is not None:
            return None
        return _refuse(scope, self._ask_to_sign_in(connection), _NOT_SIGNED_IN)

    def _ask_to_sign_in(self, connection: HTTPConnection) -> Response:
        """The notice; a browser that opened a page is brought there after it signed in."""
        response = notices.sign_in_needed()
        path = local_path(connection.url.path + _query(connection))
        if "text/html" in connection.headers.get("accept", "") and path != "/":
            value = quote(path, safe="/?=&-_.~%")
            set_cookie(response, self._parts, RETURN_COOKIE, value, _RETURN_SECONDS)
        return response


def _answer_store_faults(app: ASGIApp) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except StoreUnavailable as error:
            await notices.store_away(str(error))(scope, receive, send)

    return call


def _refuse(scope: Scope, response: Response, close_code: int) -> ASGIApp:
    if scope["type"] == "http":
        return response

    async def close(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": close_code})

    return close


def _join(headers: Headers, name: str) -> str:
    """All lines of a header: several are another value than each of them."""
    return ", ".join(headers.getlist(name))


def _query(connection: HTTPConnection) -> str:
    return f"?{connection.url.query}" if connection.url.query else ""
