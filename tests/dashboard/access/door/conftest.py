"""The dashboard's door with a clock of the test's own; Streamlit is not needed for it."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from dashboard.access.guard import protection
from dashboard.access.sign_in import sign_in_routes
from dashboard.settings import DashboardSettings
from dashboard.wiring import Parts
from store.engine.database import Database
from tests.dashboard.access.door.signing import BASE, Clock, serve_stream


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"page {request.url.path}")


@pytest.fixture
def clock(fixed_now: datetime) -> Clock:
    return Clock(fixed_now)


@pytest.fixture
def parts(tmp_path: Path, sqlite_template: Path, clock: Clock) -> Iterator[Parts]:
    shutil.copy(sqlite_template, tmp_path / "maskwatch.db")
    settings = DashboardSettings(var_dir=tmp_path)
    made = Parts(settings, Database.open(settings), clock)
    yield made
    made.database.close()


@pytest.fixture
def browser(parts: Parts) -> Iterator[TestClient]:
    routes = [
        *sign_in_routes(parts),
        WebSocketRoute("/_stcore/stream", serve_stream),
        Route("/{path:path}", _page),
    ]
    app = Starlette(routes=routes, middleware=protection(parts))
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        yield client
