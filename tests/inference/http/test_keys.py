"""Clients by key over HTTP: who is known by which name, what is refused, what follows changes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy import URL, create_engine, make_url, select, text
from starlette.testclient import TestClient

from inference.http.app import build_app
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from store.people.api_keys import add_key, revoke_key
from store.people.key_scopes import KeyScope
from store.requests.records import Stage
from store.settings import StoreSettings
from store.tables.request_tables import RequestRow
from tests.waiting import wait_for

PEER = "198.51.100.9"
ADDRESS = f"ip:{PEER}"
NO_PICTURE = b"no picture"
Headers = Mapping[str, str] | Mapping[bytes, bytes]


@pytest.fixture
def sender(service_on_both: Service) -> Iterator[TestClient]:
    """A client of the service with an address of its own."""
    with TestClient(build_app(service_on_both), client=(PEER, 50_000)) as opened:
        yield opened


@pytest.fixture
def key(service_on_both: Service, elsewhere: Database) -> str:
    """A key that the service knows already."""
    with elsewhere.write() as session:
        secret = add_key(session, "acme", "ada", datetime.now(UTC))
    wait_for(lambda: service_on_both.access.current.find_key(secret) is not None)
    return secret


def _send(client: TestClient, headers: Headers | None = None) -> Response:
    """What is no picture ends at the gate with 415, and costs no parse."""
    files = {"file": ("a.png", NO_PICTURE, "image/png")}
    return client.post("/v1/parse", files=files, headers=headers)


def _code(response: Response) -> str:
    return str(response.json()["type"].rpartition(":")[2])


def _row(service: Service, response: Response) -> RequestRow:
    wanted = RequestRow.request_id == response.json()["request_id"]
    with service.database.read() as session:
        return session.scalars(select(RequestRow).where(wanted)).one()


def _decide(database: Database, value: str, kind: Kind = Kind.BLOCK) -> int:
    now = datetime.now(UTC)
    until = now + timedelta(hours=1)
    new = NewDecision(kind, Scope.CLIENT, value, "by_hand", "analyst", "A test.", "ada", until)
    with database.write() as session:
        return add_decision(session, new, now).id


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"Authorization": f"bearer {key}"},
        lambda key: {"X-API-Key": key},
        lambda key: {"X-API-Key": key, "Authorization": f"Bearer {key}"},
        lambda key: {"X-API-Key": key, "Authorization": "Basic dTpw"},
    ],
)
def test_a_key_names_the_client(
    sender: TestClient, service_on_both: Service, key: str, headers: Callable[[str], Headers]
) -> None:
    response = _send(sender, headers(key))
    assert response.status_code == 415
    row = _row(service_on_both, response)
    assert (row.client, row.stage) == ("key:acme", Stage.GATE)


def test_without_a_key_the_address_names_the_client(
    sender: TestClient, service_on_both: Service, key: str
) -> None:
    for headers in (None, {"Authorization": "Basic dTpw"}):
        response = _send(sender, headers)
        assert response.status_code == 415
        assert _row(service_on_both, response).client == ADDRESS


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: {"Authorization": "Bearer mwk_unknown"},
        lambda key: {"Authorization": "Bearer"},
        lambda key: {"Authorization": f"Bearer {key}x"},
        lambda key: {"X-API-Key": ""},
        lambda key: {"X-API-Key": key.upper()},
        lambda key: {"X-API-Key": "acme"},
        lambda key: {b"X-API-Key": "é".encode()},
        lambda key: {"X-API-Key": key, "Authorization": "Bearer mwk_other"},
        lambda key: {"X-API-Key": "mwk_other", "Authorization": f"Bearer {key}"},
    ],
)
def test_a_wrong_key_is_refused_with_a_challenge_and_recorded_for_the_address(
    sender: TestClient, service_on_both: Service, key: str, headers: Callable[[str], Headers]
) -> None:
    response = _send(sender, headers(key))
    assert response.status_code == response.json()["status"] == 401
    assert _code(response) == "unknown_key"
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["content-type"] == "application/problem+json"
    assert key not in response.text + str(response.headers)
    row = _row(service_on_both, response)
    assert (row.client, row.stage, row.reasons) == (ADDRESS, Stage.ADMISSION, ["unknown_key"])
    assert row.content_sha256 is None


def test_a_key_for_something_else_is_refused_and_names_the_client(
    sender: TestClient, service_on_both: Service, elsewhere: Database
) -> None:
    with elsewhere.write() as session:
        secret = add_key(session, "watcher", "ada", datetime.now(UTC), {KeyScope.OBSERVE})
    wait_for(lambda: service_on_both.access.current.find_key(secret) is not None)
    response = _send(sender, {"X-API-Key": secret})
    assert (response.status_code, _code(response)) == (403, "wrong_scope")
    row = _row(service_on_both, response)
    assert (row.client, row.stage) == ("key:watcher", Stage.ADMISSION)


def test_a_key_can_be_required(settings: ServiceSettings) -> None:
    service = build_service(settings.model_copy(update={"require_api_key": True}))
    with service.database.write() as session:
        secret = add_key(session, "acme", "ada", datetime.now(UTC))
    with TestClient(build_app(service), client=(PEER, 50_000)) as client:
        wait_for(lambda: _send(client, {"X-API-Key": secret}).status_code == 415)
        refused, wrong = _send(client), _send(client, {"X-API-Key": "mwk_unknown"})
        assert client.get("/healthz").status_code == 200
    assert (refused.status_code, _code(refused)) == (401, "key_required")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert _row(service, refused).client == ADDRESS
    assert (wrong.status_code, _code(wrong)) == (401, "unknown_key")
    service.close()


def test_a_spoofed_header_changes_no_identity_with_a_key_or_without(
    sender: TestClient, service_on_both: Service, elsewhere: Database, key: str
) -> None:
    spoofed = {"X-Forwarded-For": "203.0.113.7, 192.0.2.1"}
    with_key = spoofed | {"X-API-Key": key}
    assert _row(service_on_both, _send(sender, spoofed)).client == ADDRESS
    assert _row(service_on_both, _send(sender, with_key)).client == "key:acme"
    _decide(elsewhere, "ip:203.0.113.7")
    block = _decide(elsewhere, "ip:192.0.2.1")
    wait_for(lambda: len(service_on_both.access.current.ends) == 2)
    assert [_send(sender, headers).status_code for headers in (spoofed, with_key)] == [415, 415]
    with elsewhere.write() as session:
        revoke(session, block, "ada", "A mistake.", datetime.now(UTC))
    _decide(elsewhere, ADDRESS)
    wait_for(lambda: _send(sender).status_code == 403)
    assert [_send(sender, headers).status_code for headers in (spoofed, with_key)] == [403, 403]


def test_a_blocked_address_is_blocked_with_a_key_too_and_learns_nothing_about_keys(
    sender: TestClient, service_on_both: Service, elsewhere: Database, key: str
) -> None:
    _decide(elsewhere, ADDRESS)
    wait_for(lambda: _send(sender).status_code == 403)
    known, unknown = _send(sender, {"X-API-Key": key}), _send(sender, {"X-API-Key": "mwk_no"})
    assert [_code(known), _code(unknown)] == ["blocked", "blocked"]
    assert _row(service_on_both, known).client == "key:acme"
    with TestClient(build_app(service_on_both), client=("192.0.2.1", 50_000)) as other:
        assert _send(other, {"X-API-Key": key}).status_code == 415


def test_a_blocked_key_is_blocked_from_every_address_until_the_block_is_revoked(
    sender: TestClient, service_on_both: Service, elsewhere: Database, key: str
) -> None:
    with_key = {"X-API-Key": key}
    assert _send(sender, with_key).status_code == 415
    block = _decide(elsewhere, "key:acme")
    wait_for(lambda: _send(sender, with_key).status_code == 403)
    with TestClient(build_app(service_on_both), client=("192.0.2.1", 50_000)) as other:
        assert _send(other, with_key).status_code == 403
        assert _send(other).status_code == 415
    with elsewhere.write() as session:
        revoke(session, block, "ada", "A mistake.", datetime.now(UTC))
    wait_for(lambda: _send(sender, with_key).status_code == 415)


def test_an_allowed_key_passes_from_a_blocked_address(
    sender: TestClient, elsewhere: Database, key: str
) -> None:
    _decide(elsewhere, ADDRESS)
    wait_for(lambda: _send(sender, {"X-API-Key": key}).status_code == 403)
    _decide(elsewhere, "key:acme", Kind.ALLOW)
    wait_for(lambda: _send(sender, {"X-API-Key": key}).status_code == 415)
    assert _send(sender).status_code == 403


def test_a_revoked_key_is_refused_soon_and_does_not_fall_back_to_the_address(
    sender: TestClient, elsewhere: Database, key: str
) -> None:
    assert _send(sender, {"X-API-Key": key}).status_code == 415
    with elsewhere.write() as session:
        revoke_key(session, "acme", "ada", datetime.now(UTC))
    wait_for(lambda: _send(sender, {"X-API-Key": key}).status_code == 401)
    assert _code(_send(sender, {"X-API-Key": key})) == "unknown_key"
    assert _send(sender).status_code == 415


@contextmanager
def _away(database: Database, settings: StoreSettings) -> Iterator[None]:
    """The database cannot be reached: its connections end, and no new one can be made."""
    url = make_url(settings.store.effective_database_url())
    with _no_file(url, database) if database.dialect == "sqlite" else _no_connections(url):
        yield


@contextmanager
def _no_file(url: URL, database: Database) -> Iterator[None]:
    path, hidden = Path(url.database or ""), Path(f"{url.database}.away")
    # Those on PostgreSQL are ended by the server: one that a thread uses while the others are
    # disposed of would be closed by nobody.
    database.engine.dispose()
    path.rename(hidden)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        hidden.rename(path)


@contextmanager
def _no_connections(url: URL) -> Iterator[None]:
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as admin:
        admin.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false"))
        admin.execute(text(ended), {"name": url.database})
        try:
            yield
        finally:
            admin.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"))
    engine.dispose()


def test_while_the_database_is_away_blocks_and_keys_hold(
    sender: TestClient,
    service_on_both: Service,
    store_settings: StoreSettings,
    elsewhere: Database,
    key: str,
) -> None:
    def access_faults() -> float:
        labels = {"part": "access"}
        found = service_on_both.metrics.registry.get_sample_value("maskwatch_faults_total", labels)
        return found or 0.0

    _decide(elsewhere, ADDRESS)
    wait_for(lambda: _send(sender).status_code == 403)
    elsewhere.close()
    with (
        TestClient(build_app(service_on_both), client=("192.0.2.1", 50_000)) as other,
        _away(service_on_both.database, store_settings),
    ):
        before = access_faults()
        wait_for(lambda: access_faults() >= before + 2)
        assert other.get("/readyz").json() == {"status": "degraded"}
        assert _send(sender).status_code == 403
        assert _send(other, {"X-API-Key": key}).status_code == 415
        assert _send(other, {"X-API-Key": "mwk_unknown"}).status_code == 401
        spooled = _send(other)
    assert spooled.status_code == 415
    with elsewhere.write() as session:
        revoke_key(session, "acme", "ada", datetime.now(UTC))
    wait_for(lambda: _send(sender).status_code == 403)
    wait_for(lambda: service_on_both.access.current.find_key(key) is None)
    wait_for(lambda: other.get("/readyz").json() == {"status": "ready"})
    assert _row(service_on_both, spooled).client == "ip:192.0.2.1"
