"""A sidecar that is the real service, one that only notes reports, and real servers for hosts."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from werkzeug.serving import make_server

from inference.figures import draw_figure
from inference.service import build_service
from inference.settings import ServiceSettings
from maskwatch.client import ClientOptions, Mode
from tests.inference.http.conftest import Served, serving
from tests.makers import SECRET
from tests.ports import reserved_port
from tests.waiting import PATIENCE_SECONDS, POLL_SECONDS, wait_for

Start = Callable[..., str]


@dataclass
class Sink:
    """Takes reports and keeps them."""

    url: str = ""
    status: int = 202
    reports: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        async with request.form() as form:
            report, picture = form["report"], form["picture"]
            assert isinstance(report, str)
            assert isinstance(picture, UploadFile)
            self.reports.append({**json.loads(report), "picture": await picture.read()})
        self.headers.append(dict(request.headers))
        return Response(status_code=self.status)


@contextmanager
def serving_asgi(app: Any) -> Iterator[str]:
    """An ASGI application behind a port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none"))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def serving_wsgi(app: Any) -> Iterator[str]:
    """A WSGI application behind a port of loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def start_asgi() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving_asgi(app))


@pytest.fixture
def start_wsgi() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving_wsgi(app))


@pytest.fixture
def sink(start_asgi: Start) -> Sink:
    noting = Sink()
    routes = [Route("/v1/observe", noting.take, methods=["POST"])]
    noting.url = start_asgi(Starlette(routes=routes))
    return noting


@pytest.fixture
def sidecar(tmp_path: Path, sqlite_template: Path) -> Iterator[Served]:
    """The real service; it takes loopback for a proxy that names its clients."""
    shutil.copy(sqlite_template, tmp_path / "maskwatch.db")
    settings = ServiceSettings(
        var_dir=tmp_path,
        fingerprint_salt=SECRET,
        refusal_pause_seconds=0,
        rate_per_second=0,
        trusted_proxies="127.0.0.1/32",
        picture_fields="file,image,files",
    )
    with closing(build_service(settings)) as service, serving(service) as served:
        yield served


@pytest.fixture(scope="session")
def picture() -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(draw_figure(11).image).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nothing listens."""
    with reserved_port() as port:
        yield f"http://127.0.0.1:{port}"


def patient_options(url: str, mode: Mode = Mode.OBSERVE, **changes: Any) -> ClientOptions:
    """Options of a middleware that waits for its sidecar however busy the machine is."""
    return ClientOptions(url, mode, **{"timeout_seconds": PATIENCE_SECONDS, **changes})
