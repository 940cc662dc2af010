"""The few addresses of a proxy that are its own; all others are the upstream's."""

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from inference.http.app import metrics, readyz
from inference.service import Service

PREFIX = "/_maskwatch/"


def build_own_pages(service: Service) -> Starlette:
    """Health and metrics."""
    app = Starlette(
        routes=[
            Route(f"{PREFIX}healthz", lambda _: JSONResponse({"status": "ok"}), methods=["GET"]),
            Route(f"{PREFIX}readyz", readyz, methods=["GET"]),
            Route(f"{PREFIX}metrics", metrics, methods=["GET"]),
        ]
    )
    app.state.service = service
    return app
