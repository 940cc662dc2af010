"""The blocks of docs/attach-recipes.md, as they stand there."""

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib import import_module
from os import geteuid
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inference.service import build_service
from inference.settings import ServiceSettings
from store.tables.request_tables import RequestRow
from tests.inference.http.conftest import Served, serving
from tests.makers import SECRET
from tests.maskwatch.client.conftest import serving_asgi
from tests.ports import reserved_port
from tests.waiting import wait_for

_PAGE = Path(__file__).parents[2] / "docs" / "attach-recipes.md"
_NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
needs_nginx = pytest.mark.skipif(_NGINX is None, reason="nginx is not installed")
_HEADINGS = ("nginx in front", "nginx mirror", "nginx auth_request")
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "person.jpg"

Start = Callable[..., str]


def _section(heading: str) -> str:
    return _PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Ports:
    """Where a block leads in a test."""

    listen: int = 8081
    sidecar: str = "http://127.0.0.1:8080"
    service: str = "http://127.0.0.1:5000"


def _write(heading: str, folder: Path, ports: Ports) -> Path:
    (block,) = _blocks(_section(heading), "nginx")
    block = block.replace("listen 80;", f"listen 127.0.0.1:{ports.listen};")
    block = block.replace("http://127.0.0.1:8080", ports.sidecar)
    block = block.replace("http://127.0.0.1:5000", ports.service)
    # A machine that runs tests may be busy for a second; no test is about these limits.
    block = re.sub(r"(proxy_(?:connect|read)_timeout) \d+s;", r"\1 60s;", block)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    # As root, its workers would be users that may not enter the folder.
    user = "user root;\n" if geteuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}{block}}}\n"
    )
    return path


@needs_nginx
@pytest.mark.parametrize("heading", _HEADINGS)
def test_nginx_takes_the_block(heading: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [str(_NGINX), "-t", "-q", "-e", "stderr", "-c", str(_write(heading, tmp_path, Ports()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.fixture
def start_nginx(tmp_path: Path) -> Iterator[Start]:
    """Starts nginx with the block under a heading and gives its address."""
    with ExitStack() as stack:

        def start(heading: str, sidecar: str, service: str) -> str:
            port = stack.enter_context(reserved_port())
            path = _write(heading, tmp_path, Ports(port, sidecar, service))
            command = [str(_NGINX), "-e", str(tmp_path / "error.log"), "-c", str(path)]
            process = stack.enter_context(subprocess.Popen(command))
            stack.callback(process.terminate)
            wait_for(lambda: _listens(port))
            return f"http://127.0.0.1:{port}"

        yield start


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _describe(request: Request) -> Response:
    """Says what arrived, as a service behind a proxy sees it."""
    forwarded = request.headers.get("x-forwarded-for", "")
    return Response(f"{forwarded} {request.headers['host']} {len(await request.body())}")


@pytest.fixture
def service() -> Iterator[str]:
    with serving_asgi(Starlette(routes=[Route("/x", _describe, methods=["GET", "POST"])])) as url:
        yield url


@needs_nginx
def test_nginx_in_front_names_the_client_whatever_it_says_itself(
    start_nginx: Start, service: str
) -> None:
    url = start_nginx("nginx in front", service, "http://127.0.0.1:9")
    headers = {"X-Forwarded-For": "203.0.113.7", "Host": "parser.example.org"}
    answer = httpx2.post(f"{url}/x", content=bytes(2_000_000), headers=headers)
    assert answer.text == "127.0.0.1 parser.example.org 2000000"


@pytest.fixture
def sidecar(tmp_path: Path, sqlite_template: Path) -> Iterator[Served]:
    shutil.copy(sqlite_template, tmp_path / "maskwatch.db")
    settings = ServiceSettings(
        var_dir=tmp_path, fingerprint_salt=SECRET, trusted_proxies="127.0.0.1/32"
    )
    with closing(build_service(settings)) as built, serving(built) as served:
        yield served


def _statuses(sidecar: Served) -> list[tuple[str, int]]:
    with sidecar.service.database.read() as session:
        rows = session.execute(select(RequestRow.client, RequestRow.status))
        return [(client, status) for client, status in rows]


@needs_nginx
def test_a_mirrored_picture_is_parsed_and_the_clients_answer_is_the_services(
    start_nginx: Start, sidecar: Served, service: str
) -> None:
    url = start_nginx("nginx mirror", sidecar.url, service)
    assert httpx2.get(f"{url}/x").status_code == 200
    with PICTURE.open("rb") as file:
        answer = httpx2.post(f"{url}/x", files={"image": ("a.jpg", file)})
    assert int(answer.text.split()[-1]) > PICTURE.stat().st_size
    wait_for(lambda: _statuses(sidecar))
    assert _statuses(sidecar) == [("ip:127.0.0.1", 200)]


async def _decide(request: Request) -> Response:
    """Answers as ``GET /v1/decide`` does: here what the request's own header asks for."""
    status = int(request.headers["x-wanted"])
    headers = {"Retry-After": "7"} if status == 429 else {}
    assert request.headers["x-forwarded-for"] == "127.0.0.1"
    assert await request.body() == b""
    return Response(status_code=status, headers=headers)


@needs_nginx
@pytest.mark.parametrize(
    ("decision", "status"), [(204, 200), (401, 401), (403, 403), (429, 429), (500, 503)]
)
def test_the_client_gets_what_the_sidecar_decided(
    start_nginx: Start, service: str, decision: int, status: int
) -> None:
    with serving_asgi(Starlette(routes=[Route("/v1/decide", _decide)])) as deciding:
        url = start_nginx("nginx auth_request", deciding, service)
        headers = {"X-Wanted": str(decision)}
        answer = httpx2.post(f"{url}/x", content=b"picture", headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("7" if decision == 429 else None)


@needs_nginx
def test_nothing_passes_while_nobody_decides(start_nginx: Start, service: str) -> None:
    url = start_nginx("nginx auth_request", "http://127.0.0.1:9", service)
    assert httpx2.get(f"{url}/x").status_code == 503


def _read_yaml(heading: str) -> list[Any]:
    load = import_module("yaml").safe_load
    return [load(block) for block in _blocks(_section(heading), "yaml")]


def test_the_ingress_leads_to_the_service_of_the_pod() -> None:
    documents = _read_yaml("Ingress")
    assert [each["kind"] for each in documents] == ["Ingress", "Ingress"]
    for each in documents:
        (path,) = each["spec"]["rules"][0]["http"]["paths"]
        assert path["backend"]["service"] == {"name": "parser", "port": {"name": "http"}}
        assert all(isinstance(value, str) for value in each["metadata"]["annotations"].values())


def test_kserves_logger_sends_both_halves_to_the_sidecar() -> None:
    (document,) = _read_yaml("KServe")
    logger = document["spec"]["predictor"]["logger"]
    assert logger["mode"] == "all"
    assert logger["url"].endswith("/v1/observe")
