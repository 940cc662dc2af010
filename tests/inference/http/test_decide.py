"""``GET /v1/decide`` over real sockets: who may send, who may not, and what it costs nobody."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from threading import current_thread
from typing import Any

import httpx2
import pytest
from sqlalchemy import event, func, select
from starlette.testclient import TestClient

from inference.http.app import build_app
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.engine.database import Database
from store.people.api_keys import add_key
from store.people.key_scopes import KeyScope
from store.tables.request_tables import RequestRow
from tests.inference.http.conftest import Serve, Served, block
from tests.waiting import wait_for

PROXY, VISITOR = "10.0.0.1", "203.0.113.7"


@pytest.fixture
def proxied(settings: ServiceSettings) -> Iterator[tuple[TestClient, Service]]:
    """A service whose only peer is a proxy that it trusts; each client has two requests."""
    changes = {
        "trusted_proxies": (ip_network("10.0.0.0/8"),),
        "rate_per_second": 0.001,
        "rate_burst": 2,
    }
    service = build_service(settings.model_copy(update=changes))
    with TestClient(build_app(service), client=(PROXY, 50_000)) as client:
        yield client, service
    service.close()


def _ask(client: TestClient, visitor: str = VISITOR, **headers: str) -> httpx2.Response:
    return client.get("/v1/decide", headers={"X-Forwarded-For": visitor, **headers})


def _count(service: Service, answer: str) -> float:
    name = "maskwatch_decisions_total"
    return service.metrics.registry.get_sample_value(name, {"answer": answer}) or 0.0


def _add_key(service: Service, *scopes: KeyScope) -> str:
    with service.database.write() as session:
        secret = add_key(session, "acme", "ada", datetime.now(UTC), scopes)
    wait_for(lambda: service.access.current.find_key(secret) is not None)
    return secret


def test_whoever_is_not_blocked_may_send_and_gets_an_empty_answer(serve: Serve) -> None:
    served = serve()
    answer = httpx2.get(f"{served.url}/v1/decide")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_envoy_asks_with_the_method_and_path_of_the_request(serve: Serve, method: str) -> None:
    served = serve()
    answer = httpx2.request(method, f"{served.url}/v1/decide/segment/image?size=2")
    assert answer.status_code == 204
    block(served.service, "ip:127.0.0.1")
    answer = httpx2.request(method, f"{served.url}/v1/decide/segment/image?size=2")
    assert answer.status_code == 403


def test_a_blocked_visitor_of_a_trusted_proxy_may_not_send(
    proxied: tuple[TestClient, Service],
) -> None:
    client, service = proxied
    block(service, f"ip:{VISITOR}")
    answer = _ask(client)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:maskwatch:problem:blocked"
    assert _ask(client, "203.0.113.8").status_code == 204
    # What a client writes in front of its proxy's entry changes nothing.
    assert _ask(client, f"192.0.2.1, {VISITOR}").status_code == 403
    assert (_count(service, "blocked"), _count(service, "allowed")) == (2, 1)


def test_each_answer_spends_one_request_of_the_rate(proxied: tuple[TestClient, Service]) -> None:
    client, service = proxied
    assert [_ask(client).status_code for _ in range(3)] == [204, 204, 429]
    refused = _ask(client)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["type"] == "urn:maskwatch:problem:rate_limited"
    upload = {"file": ("a.png", b"no picture", "image/png")}
    answer = client.post("/v1/parse", files=upload, headers={"X-Forwarded-For": VISITOR})
    assert answer.status_code == 429
    assert _ask(client, "203.0.113.8").status_code == 204
    assert _count(service, "rate_limited") == 2


def test_a_key_names_the_client_and_tokens_of_others_are_not_looked_at(
    proxied: tuple[TestClient, Service],
) -> None:
    client, service = proxied
    key = _add_key(service, KeyScope.PARSE)
    block(service, "key:acme")
    assert _ask(client, Authorization=f"Bearer {key}").status_code == 403
    assert _ask(client, Authorization="Bearer token-of-the-service-behind").status_code == 204
    wrong = _ask(client, Authorization="Bearer mwk_unknown")
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")


def test_a_key_for_observing_does_not_let_send(proxied: tuple[TestClient, Service]) -> None:
    client, service = proxied
    key = _add_key(service, KeyScope.OBSERVE)
    answer = _ask(client, Authorization=f"Bearer {key}")
    assert answer.json()["type"] == "urn:maskwatch:problem:wrong_scope"


def test_neither_the_database_nor_a_record_is_touched(serve: Serve) -> None:
    served = serve(rate_per_second=0.001, rate_burst=2, access_refresh_seconds=60)
    statements: list[str] = []
    _listen(served, statements)
    answers = [httpx2.get(f"{served.url}/v1/decide").status_code for _ in range(4)]
    assert answers == [204, 204, 429, 429]
    assert statements == []
    assert _count_records(served.service.database) == 0


def _listen(served: Served, statements: list[str]) -> None:
    def note(*says: Any) -> None:
        # Those who are turned away are counted; a thread of its own stores that now and then.
        if current_thread().name != "turned-away":
            statements.append(says[2])

    event.listen(served.service.database.engine, "before_cursor_execute", note)


def _count_records(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(RequestRow)) or 0
