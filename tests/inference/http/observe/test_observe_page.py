"""What docs/observe.md says is done word by word, and so is the recipe for nginx that it names."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from threading import Thread

import httpx2
import numpy as np
import pytest
from PIL import Image as Pillow
from sqlalchemy import select

from detectors.parsing import Image
from store.people.api_keys import add_key
from store.people.key_scopes import KeyScope
from store.requests.records import Stage
from store.tables.request_tables import RequestRow
from tests.inference.http.conftest import Serve, Served, block
from tests.ports import reserved_port
from tests.waiting import POLL_SECONDS, wait_for

DOCS = Path(__file__).parents[4] / "docs"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
Encode = Callable[..., bytes]


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def _add_key(served: Served) -> str:
    with served.service.database.write() as session:
        secret = add_key(session, "reporter", "ada", datetime.now(UTC), {KeyScope.OBSERVE})
    wait_for(lambda: served.service.access.current.find_key(secret) is not None)
    return secret


def _read_rows(served: Served) -> list[RequestRow]:
    with served.service.database.read() as session:
        return list(session.scalars(select(RequestRow)))


def test_the_example_with_curl_becomes_a_record(
    serve: Serve, tmp_path: Path, figure: Image, encode: Encode
) -> None:
    served = serve()
    label_map = np.zeros(figure.shape[:2], np.uint8)
    label_map[20:90, 20:60] = 2
    labels = BytesIO()
    Pillow.fromarray(label_map).save(labels, "PNG")
    (tmp_path / "street.jpg").write_bytes(encode(figure, "JPEG"))
    (tmp_path / "labels.png").write_bytes(labels.getvalue())
    [example] = _blocks((DOCS / "observe.md").read_text(encoding="utf-8"), "bash")
    make_key, _, command = example.partition("\n")
    assert make_key == "KEY=$(maskwatch keys add reporter --scope observe)"
    subprocess.run(
        ["/bin/bash", "-ec", command.replace("http://127.0.0.1:8080", served.url)],
        env={**os.environ, "KEY": _add_key(served)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    wait_for(lambda: _read_rows(served))
    [row] = _read_rows(served)
    assert (row.client, row.stage, row.labels) == ("ip:203.0.113.7", Stage.PARSED, ["face"])


class _Parser(BaseHTTPRequestHandler):
    """Somebody else's service: answers everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"masks")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def _parser() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Parser) as server:
        thread = Thread(target=server.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _nginx(folder: Path, recipe: str) -> Iterator[str]:
    with reserved_port() as port, _run_nginx(folder, recipe, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _run_nginx(folder: Path, recipe: str, port: int) -> Iterator[None]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;"
        f"events {{}} http {{ access_log off; {places}"
        f"{recipe.replace('listen 80', f'listen 127.0.0.1:{port}')} }}"
    )
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _listens(port))
        yield
    finally:
        process.terminate()
        process.wait()


def _client(address: str) -> httpx2.Client:
    """A client that comes from an address of loopback."""
    return httpx2.Client(transport=httpx2.HTTPTransport(local_address=address))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _recipe(parser: str, maskwatch: str) -> str:
    _, _, text = (DOCS / "attach-recipes.md").read_text(encoding="utf-8").partition("## nginx auth")
    recipe = _blocks(text, "nginx")[0]
    recipe = recipe.replace("http://127.0.0.1:5000", parser).replace(
        "http://127.0.0.1:8080", maskwatch
    )
    # A machine that runs tests may be busy for a second; no test is about these limits.
    return recipe.replace("timeout 1s", "timeout 60s")


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_recipe_for_nginx_lets_through_blocks_and_slows_down(
    serve: Serve, tmp_path: Path
) -> None:
    proxies = (ip_network("127.0.0.1"),)
    served = serve(trusted_proxies=proxies, rate_per_second=0.001, rate_burst=2)
    with ExitStack() as stack:
        recipe = _recipe(stack.enter_context(_parser()), served.url)
        url = stack.enter_context(_nginx(tmp_path, recipe))
        client = stack.enter_context(_client("127.0.0.2"))
        passed = client.get(f"{url}/parse")
        assert (passed.status_code, passed.content) == (200, b"masks")
        assert client.get(f"{url}/parse").status_code == 200
        slowed = client.get(f"{url}/parse")
        assert slowed.status_code == 429
        assert int(slowed.headers["retry-after"]) >= 1
        block(served.service, "ip:127.0.0.2")
        # nginx overwrites what the client writes itself.
        written = {"X-Forwarded-For": "203.0.113.7"}
        assert client.get(f"{url}/parse", headers=written).status_code == 403
        other = stack.enter_context(_client("127.0.0.3"))
        assert other.get(f"{url}/parse").status_code == 200


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_without_maskwatch_the_recipe_answers_503_or_lets_through_as_the_page_says(
    tmp_path: Path,
) -> None:
    with _parser() as parser, reserved_port() as nobody:
        recipe = _recipe(parser, f"http://127.0.0.1:{nobody}")
        with _nginx(tmp_path, recipe) as url:
            assert httpx2.get(f"{url}/parse").status_code == 503
        [line] = re.findall(r"# (proxy_pass .*;)", recipe)
        with _nginx(tmp_path, recipe.replace("return 503;", line)) as url:
            assert httpx2.get(f"{url}/parse").content == b"masks"
