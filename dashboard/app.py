"""Builds the ASGI application of the dashboard."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp
from streamlit.starlette import App

from dashboard import theme
from dashboard.access.guard import protection
from dashboard.access.sign_in import sign_in_routes
from dashboard.document import page_document
from dashboard.wiring import Parts, provide

_SCRIPT = Path(__file__).with_name("main.py")


def build_app(parts: Parts) -> ASGIApp:
    """The pages behind their sign-in; Streamlit allows one such application per process."""
    provide(parts)
    theme.apply(parts.settings.dashboard.public_url())
    routes = [*sign_in_routes(parts), Route("/overview", _first_page), *_page_routes()]
    return App(_SCRIPT, routes=routes, middleware=protection(parts))


async def _first_page(_request: Request) -> RedirectResponse:
    return RedirectResponse("/")


def _page_routes() -> list[Route]:
    """The addresses of the pages; what they show comes through the websocket."""
    html = page_document()

    async def answer(_request: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    views = (path.stem for path in sorted(_SCRIPT.with_name("views").glob("[a-z]*.py")))
    return [Route("/", answer), *(Route(f"/{view}", answer) for view in views)]
