"""Browser sessions: the cookie, and who it belongs to."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from dashboard.wiring import Parts
from store.people.sign_in import session_subject

COOKIE = "maskwatch_session"


def subject_of(parts: Parts, secret: str | None) -> str | None:
    """Who a session secret belongs to; ``None`` if the session is unknown or over."""
    if not secret:
        return None
    with parts.database.read() as session:
        return session_subject(session, secret, parts.clock())


def secret_of(connection: HTTPConnection) -> str | None:
    """The session secret that a browser sent."""
    return connection.cookies.get(COOKIE)


def set_cookie(response: Response, parts: Parts, name: str, value: str, seconds: int) -> None:
    """Give the browser a cookie that scripts cannot read.

    ``SameSite=Lax`` and not ``Strict``: links in mails open pages from another site, and a strict
    cookie would be missing there. What changes anything goes through the websocket, whose
    ``Origin`` is checked.
    """
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=parts.settings.dashboard.public_url().startswith("https:"),
    )
