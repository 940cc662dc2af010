"""The sign-in and sign-out addresses, outside the pages."""

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.access import signed_out_pages as notices
from dashboard.access.sessions import COOKIE, secret_of, set_cookie, subject_of
from dashboard.wiring import Parts
from store.people.sign_in import end_session, redeem_token, token_is_open

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
RETURN_COOKIE = "maskwatch_wanted"


def sign_in_routes(parts: Parts) -> list[Route]:
    """The addresses that are open to everybody."""

    async def sign_in(request: Request) -> Response:
        return await run_in_threadpool(_sign_in, parts, request)

    async def sign_out(request: Request) -> Response:
        return await run_in_threadpool(_sign_out, parts, request)

    return [Route(SIGN_IN, sign_in), Route(SIGN_OUT, sign_out)]


def _sign_in(parts: Parts, request: Request) -> Response:
    token = request.query_params.get("token", "")
    # Link previews ask with HEAD first; they must not use the token up.
    if request.method != "GET":
        return Response(status_code=204) if _is_open(parts, token) else notices.link_used_up()
    secret = _redeem(parts, token)
    if secret is None and subject_of(parts, secret_of(request)) is None:
        return notices.link_used_up()
    path = request.query_params.get("next") or request.cookies.get(RETURN_COOKIE)
    response = RedirectResponse(local_path(path), status_code=303)
    response.delete_cookie(RETURN_COOKIE)
    if secret is not None:
        set_cookie(response, parts, COOKIE, secret, parts.settings.sign_in.session_hours * 3600)
    return response


def _is_open(parts: Parts, token: str) -> bool:
    with parts.database.read() as session:
        return token_is_open(session, token, parts.clock())


def _redeem(parts: Parts, token: str) -> str | None:
    now, valid = parts.clock(), parts.settings.sign_in.session_valid()
    # Guesses must not take the writers' turn from the service.
    if not _is_open(parts, token):
        return None
    with parts.database.write() as session:
        return redeem_token(session, token, now, valid)


def _sign_out(parts: Parts, request: Request) -> Response:
    secret = secret_of(request)
    if secret:
        with parts.database.write() as session:
            end_session(session, secret, parts.clock())
    response = notices.sign_out_notice()
    response.delete_cookie(COOKIE)
    return response


def local_path(address: str | None) -> str:
    """The page to go to after signing in: a path of ours, or else the first page.

    >>> local_path("/alerts?alert=3")
    '/alerts?alert=3'
    >>> local_path("//evil.example"), local_path("https://evil.example"), local_path(None)
    ('/', '/', '/')
    """
    text = address or "/"
    # Browsers read a backslash as a slash and drop control characters.
    odd = any(character <= " " or character in "\\\x7f" for character in text)
    if odd or not text.startswith("/") or text.startswith("//") or urlsplit(text).netloc:
        return "/"
    return "/" if text.startswith((SIGN_IN, SIGN_OUT)) else text
