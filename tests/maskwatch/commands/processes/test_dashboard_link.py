"""``maskwatch dashboard-link`` against the real door of a dashboard, and against others."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from dashboard.access.guard import protection
from dashboard.access.sign_in import sign_in_routes
from dashboard.settings import DashboardSettings
from dashboard.wiring import Parts
from maskwatch.commands.processes import running_dashboard
from maskwatch.listener import listen
from store.engine.start import open_database
from tests.maskwatch.conftest import Run
from tests.ports import reserved_port
from tests.waiting import PATIENCE_SECONDS, wait_for

Open = Callable[..., int]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dashboard that a busy machine holds up is waited for."""
    monkeypatch.setattr(running_dashboard, "_SECONDS", PATIENCE_SECONDS)


@contextmanager
def door(folder: Path, url: str) -> Iterator[int]:
    """The door of a dashboard on a free port; its pages are not needed for this."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings = DashboardSettings(var_dir=folder, dashboard_port=port, dashboard_url=url)
    with listener, closing(open_database(settings)) as database:
        parts = Parts(settings, database)
        app = Starlette(routes=sign_in_routes(parts), middleware=protection(parts))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield port
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def run_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Runs a door on the folder of the command, which looks for it at its port."""
    with ExitStack() as doors:

        def run(url: str = "") -> int:
            port = doors.enter_context(door(tmp_path / "var", url))
            monkeypatch.setenv("MASKWATCH_DASHBOARD_PORT", str(port))
            return port

        yield run


def test_the_link_of_a_running_dashboard_opens_it(maskwatch: Run, run_door: Open) -> None:
    port = run_door()
    said = maskwatch("dashboard-link")
    assert (said.code, said.err) == (0, f"A dashboard answers at http://127.0.0.1:{port}.\n")
    answer = httpx2.get(said.out.strip(), trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_link_names_the_address_that_browsers_use(
    maskwatch: Run, run_door: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_door("https://maskwatch.example")
    monkeypatch.setenv("MASKWATCH_DASHBOARD_URL", "https://maskwatch.example")
    said = maskwatch("dashboard-link")
    assert said.out.startswith("https://maskwatch.example/sign-in?token=")


def test_without_a_dashboard_there_is_no_link_and_no_new_folder(
    maskwatch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reserved_port() as port:
        monkeypatch.setenv("MASKWATCH_DASHBOARD_PORT", str(port))
        said = maskwatch("dashboard-link")
    assert (said.code, said.out) == (1, "")
    assert f"No dashboard answers at http://127.0.0.1:{port}" in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_the_folder_of_the_dashboard_no_other_one_is_made(
    maskwatch: Run, run_door: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_door()
    monkeypatch.setenv("MASKWATCH_VAR_DIR", str(tmp_path / "elsewhere"))
    said = maskwatch("dashboard-link")
    assert (said.code, said.out) == (1, "")
    assert "A dashboard answers at http://127.0.0.1:" in said.err
    assert f"There is no database {tmp_path / 'elsewhere' / 'maskwatch.db'}" in said.err
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("command", ["dashboard-link", "decisions list", "db check"])
def test_a_folder_that_this_user_may_not_look_into_is_one_sentence(
    maskwatch: Run, run_door: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    run_door()
    # The system says no to looking; the tests' user may look into every folder that can be.
    monkeypatch.setenv("MASKWATCH_VAR_DIR", str(tmp_path / ("x" * 300)))
    said = maskwatch(*command.split())
    assert said.code == 1
    assert "cannot be looked at" in said.err
    assert said.err.count("\n") == 1


def test_any_free_port_is_no_place_to_look_for_a_dashboard(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_DASHBOARD_PORT", "0")
    said = maskwatch("dashboard-link")
    assert (said.code, said.out) == (1, "")
    assert "set it to the one in the link" in said.err


def test_two_processes_with_one_port_are_found_before_any_starts(
    maskwatch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reserved_port() as port:
        monkeypatch.setenv("MASKWATCH_PORT", str(port))
        monkeypatch.setenv("MASKWATCH_DASHBOARD_PORT", str(port))
        said = maskwatch("up")
    assert said.code == 1
    assert "set MASKWATCH_PORT or MASKWATCH_DASHBOARD_PORT to another port" in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_another_database_is_not_printed(
    maskwatch: Run, run_door: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_door()
    other = tmp_path / "elsewhere"
    open_database(DashboardSettings(var_dir=other)).close()
    monkeypatch.setenv("MASKWATCH_VAR_DIR", str(other))
    said = maskwatch("dashboard-link")
    assert (said.code, said.out) == (1, "")
    assert "works with another database" in said.err


def test_a_dashboard_of_another_host_name_is_said_to_be_one(
    maskwatch: Run, run_door: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_door()
    monkeypatch.setenv("MASKWATCH_DASHBOARD_URL", "https://maskwatch.example")
    said = maskwatch("dashboard-link")
    assert (said.code, said.out) == (1, "")
    assert "does not answer to the host name maskwatch.example" in said.err


def test_tables_of_a_later_version_are_left_alone(
    maskwatch: Run, run_door: Open, tmp_path: Path
) -> None:
    run_door()
    with closing(sqlite3.connect(tmp_path / "var" / "maskwatch.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = maskwatch("dashboard-link")
    assert (said.code, said.out) == (1, "")
    assert "schema revision 9999, which this Maskwatch does not know" in said.err


class _Greeter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_another_program_is_no_dashboard(
    maskwatch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), _Greeter) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MASKWATCH_DASHBOARD_PORT", str(server.server_port))
        said = maskwatch("dashboard-link")
        server.shutdown()
    assert (said.code, said.out) == (1, "")
    assert "Another program than the dashboard answers at" in said.err
    assert list(tmp_path.iterdir()) == []
