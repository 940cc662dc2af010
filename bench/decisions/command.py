"""``python -m bench decisions``."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from os import getloadavg
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, sleep
from urllib.parse import urljoin

import httpx2

from bench.decisions.stock import Stock, fill
from bench.gate.service import running_service
from bench.report import Figures, publish
from store.decisions.access_list import AccessList, read_access_list
from store.decisions.decisions import BY_COMMAND, NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from store.engine.start import open_database
from store.settings import StoreSettings

_LOOKUPS, _CHANGES, _WARM_UP = 20_000, 60, 200
_FORBIDDEN = 403
_PATIENCE_SECONDS, _POLL_SECONDS = 20.0, 0.01


class NotVisible(Exception):
    """A decision did not hold in time."""


def measure_decisions(out: Path, number: int) -> None:
    """Measure and publish.

    Raises:
        NotVisible: a block was not enforced within twenty seconds.
    """
    with TemporaryDirectory(prefix="maskwatch-bench-") as folder:
        settings = StoreSettings(var_dir=Path(folder))
        with closing(open_database(settings)) as database:
            now = datetime.now(UTC)
            with database.write() as session:
                stock = fill(session, number, now)
            figures = {**_lookups(database, stock, now), **_refreshes(database, stock)}
            with running_service(VAR_DIR=folder) as service:
                figures |= _visible(database, service.url)
    publish("Decisions", {"decisions": number, **figures, "load": getloadavg()[0]}, out)


def _lookups(database: Database, stock: Stock, now: datetime) -> Figures:
    """Processor time of what admission asks, then of what a parsed picture is held against."""
    before = process_time()
    with database.read() as session:
        access = read_access_list(session, now)
    read_seconds = process_time() - before
    clients = [*stock.values[Scope.CLIENT], *stock.values[Scope.API_KEY]]
    hashes = [bytes.fromhex(value.partition("/")[0]) for value in stock.values[Scope.SIMILAR]]
    strange = [sha256(str(each).encode()).digest() for each in range(_LOOKUPS)]

    def admit(each: int) -> None:
        client = (
            clients[each % len(clients)] if each % 2 else f"ip:198.18.{each % 199}.{each % 251}"
        )
        access.is_blocked(now, (client, f"ip:198.19.{each % 199}.7"), strange[each].hex())

    def compare(each: int) -> None:
        access.find_similar(now, hashes[each % len(hashes)] if each % 2 else strange[each])

    admitted, compared = _milliseconds(admit), _milliseconds(compare)
    _check(access, stock, now)
    return {
        "decision_lookup_ms": admitted + compared,
        "lookup_admission_ms": admitted,
        "lookup_similar_ms": compared,
        "read_all_seconds": read_seconds,
    }


def _milliseconds(look_up: Callable[[int], None]) -> float:
    for each in range(_WARM_UP):
        look_up(each)
    before = process_time()
    for each in range(_LOOKUPS):
        look_up(each)
    return 1000 * (process_time() - before) / _LOOKUPS


def _check(access: AccessList, stock: Stock, now: datetime) -> None:
    """What is blocked is found: a look-up that is quick and wrong is none."""
    for scope in (Scope.CLIENT, Scope.API_KEY):
        value = stock.values[scope][1]
        if not access.is_blocked(now, (value,)):
            raise NotVisible(value)


def _refreshes(database: Database, stock: Stock) -> Figures:
    """Processor time of a refresh after one decision, by its scope."""
    milliseconds = {}
    for scope in (Scope.CLIENT, Scope.NETWORK, Scope.SIMILAR):
        now = datetime.now(UTC)
        with database.read() as session:
            access = read_access_list(session, now)
        with database.write() as session:
            add_decision(session, _block(scope, stock.values[scope][0], now), now)
        before = process_time()
        with database.read() as session:
            read_access_list(session, now, access)
        milliseconds[scope.value] = 1000 * (process_time() - before)
    return {"refresh_ms": milliseconds}


def _visible(database: Database, url: str) -> Figures:
    """Wall time from the commit of a block to the first request that it refuses."""
    scopes = (Scope.CLIENT, Scope.NETWORK)
    with httpx2.Client(base_url=urljoin(url, "/")) as http:
        seconds = sorted(
            _wait_for_block(database, http, scopes[each % 2], each) for each in range(_CHANGES)
        )
    return {
        "decision_visible_ms_p50": 1000 * median(seconds),
        "decision_visible_ms_p95": 1000 * seconds[round(0.95 * (len(seconds) - 1))],
    }


def _wait_for_block(database: Database, http: httpx2.Client, scope: Scope, each: int) -> float:
    address = f"198.51.{each}.7"
    value = f"ip:{address}" if scope is Scope.CLIENT else f"198.51.{each}.0/24"
    now = datetime.now(UTC)
    with database.write() as session:
        add_decision(session, _block(scope, value, now), now)
    begin = perf_counter()
    while perf_counter() - begin < _PATIENCE_SECONDS:
        answer = http.get("/v1/decide", headers={"X-Forwarded-For": address})
        if answer.status_code == _FORBIDDEN:
            return perf_counter() - begin
        sleep(_POLL_SECONDS)
    raise NotVisible(value)


def _block(scope: Scope, value: str, now: datetime) -> NewDecision:
    until = now + timedelta(days=2)
    return NewDecision(Kind.BLOCK, scope, value, "bench", BY_COMMAND, "A bench.", "bench", until)
