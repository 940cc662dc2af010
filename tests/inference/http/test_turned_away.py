"""Who is turned away, and what is said and recorded of it: blocks, a full house, floods."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from threading import Event

import httpx2 as httpx
from sqlalchemy import select
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.admission.admission_settings import CrossSite
from inference.http.app import build_app
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.counts.turned_away import count_floods
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.requests.records import Stage
from store.tables.request_tables import RequestRow
from tests.inference.http.conftest import Serve, block, post, stored_row
from tests.waiting import wait_for

Encode = Callable[..., bytes]


def test_a_blocked_client_is_refused_before_its_body_is_read(
    service_on_both: Service, figure: Image, encode: Encode
) -> None:
    now = datetime.now(UTC)
    decision = NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.CLIENT,
        value="ip:testclient",
        scenario="by_hand",
        origin="analyst",
        reason="A test.",
        created_by="tester",
        until=now + timedelta(minutes=5),
    )
    with TestClient(build_app(service_on_both)) as client:
        before = post(client, encode(figure))
        with service_on_both.database.write() as session:
            add_decision(session, decision, now)
        wait_for(lambda: post(client, b"no picture").status_code == 403)
        after = post(client, encode(figure))
    assert (before.status_code, after.status_code) == (200, 403)
    assert after.json()["type"] == "urn:maskwatch:problem:blocked"
    row = stored_row(service_on_both, after.json()["request_id"])
    assert (row.stage, row.content_sha256) == (Stage.ADMISSION, None)


def test_an_exact_picture_can_be_blocked(
    client: TestClient, service: Service, figure: Image, encode: Encode
) -> None:
    data = encode(figure)
    first = post(client, data)
    content = stored_row(service, first.json()["request_id"]).content_sha256
    assert content is not None
    block(service, content, Scope.CONTENT)
    assert post(client, data).status_code == 403
    assert post(client, encode(figure[:, ::-1])).status_code == 200


def _counted(service: Service, name: str, **labels: str) -> float:
    return service.metrics.registry.get_sample_value(f"maskwatch_{name}_total", labels) or 0.0


def _rows(service: Service, code: str) -> int:
    with service.database.read() as session:
        reasons = session.scalars(select(RequestRow.reasons)).all()
    return reasons.count([code])


@contextmanager
def _client_of(
    settings: ServiceSettings, **changes: object
) -> Iterator[tuple[TestClient, Service]]:
    service = build_service(settings.model_copy(update=changes))
    app = build_app(service)
    with closing(service), TestClient(app, raise_server_exceptions=False) as client:
        yield client, service


def test_a_full_house_is_answered_with_retry_after_before_the_body_is_read(
    settings: ServiceSettings,
) -> None:
    read = 0

    def body() -> Iterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield bytes(100_000)

    with _client_of(settings, max_concurrency=1, max_queue=0) as (client, service):
        assert client.portal is not None
        with client.portal.wrap_async_context_manager(service.slots.enter("ip:192.0.2.1")):
            kind = {"Content-Type": "multipart/form-data; boundary=b"}
            response = client.post("/v1/parse", content=body(), headers=kind)
        row = stored_row(service, response.json()["request_id"])
    assert (response.status_code, row.reasons, read) == (503, ["overloaded"], 0)
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) > 0


def test_whoever_waits_too_long_for_a_turn_is_told_to_come_again(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    gate = Event()
    with _client_of(settings, max_concurrency=1, max_wait_seconds=0) as (client, service):
        assert client.portal is not None
        working = client.portal.start_task_soon(service.slots.work, "ip:192.0.2.1", gate.wait)
        refused = post(client, encode(figure))
        gate.set()
        working.result()
        served = post(client, encode(figure))
    assert (refused.status_code, served.status_code) == (503, 200)
    assert int(refused.headers["retry-after"]) > 0


def test_one_client_may_only_have_so_many_uploads_under_way(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    with _client_of(settings, max_uploads_per_client=1) as (client, service):
        assert client.portal is not None
        with client.portal.wrap_async_context_manager(service.slots.enter("ip:testclient")):
            refused = post(client, encode(figure))
        served = post(client, encode(figure))
    assert (refused.status_code, served.status_code) == (429, 200)
    assert refused.json()["type"] == "urn:maskwatch:problem:too_many_uploads"
    assert int(refused.headers["retry-after"]) > 0


def test_bodies_have_a_bound_together_however_few_they_are(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    with (
        _client_of(settings, max_body_memory_bytes=1_000_000, max_upload_bytes=500_000) as (
            client,
            service,
        ),
        service.body_memory.reserve() as others,
    ):
        others.take(1_000_000)
        refused = post(client, encode(figure))
        others.close()
        served = post(client, encode(figure))
        assert service.body_memory.used_bytes == 0
    assert (refused.status_code, served.status_code) == (503, 200)
    assert int(refused.headers["retry-after"]) > 0


def test_a_client_that_asks_too_often_is_told_when_to_come_again(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    proxied = {"trusted_proxies": (ip_network("192.0.2.0/24"),)}
    with _client_of(settings, rate_per_second=0.001, rate_burst=2, **proxied) as (_, service):
        app = build_app(service)
        with TestClient(app, client=("192.0.2.1", 5)) as client:
            answers = {
                name: [
                    client.post(
                        "/v1/parse",
                        files={"file": ("a.png", encode(figure), "image/png")},
                        headers={"X-Forwarded-For": name},
                    )
                    for _ in range(3)
                ]
                for name in ("203.0.113.1", "203.0.113.2")
            }
    for each in answers.values():
        assert [answer.status_code for answer in each] == [200, 200, 429]
        assert each[-1].json()["type"] == "urn:maskwatch:problem:rate_limited"
        assert 900 < int(each[-1].headers["retry-after"]) <= 1000


def test_a_flood_of_refusals_is_counted_and_leaves_one_record(settings: ServiceSettings) -> None:
    limits = {"rate_per_second": 0.001, "rate_burst": 1, "refusal_record_seconds": 3600}
    with _client_of(settings, **limits) as (client, service):
        answers = [post(client, b"no picture") for _ in range(30)]
        assert [answer.status_code for answer in answers] == [415] + [429] * 29
        assert len({answer.json()["request_id"] for answer in answers}) == 30
        assert _rows(service, "rate_limited") == 1
        assert _counted(service, "reasons", reason="rate_limited") == 29
        assert _counted(service, "requests", verdict="refuse", stage="admission") == 29
        assert _counted(service, "unrecorded_refusals", reason="rate_limited") == 28
        service.admission.refusal_counts.store()
        with service.database.read() as session:
            assert count_floods(session, datetime.now(UTC) - timedelta(hours=1)) == {
                "ip:testclient": 28
            }


def test_what_the_gate_refuses_is_recorded_each_time(client: TestClient, service: Service) -> None:
    for _ in range(5):
        post(client, b"no picture")
    assert _rows(service, "unsupported_type") == 5
    assert _counted(service, "unrecorded_refusals", reason="unsupported_type") == 0


def test_an_upload_that_is_broken_off_is_counted_and_gives_its_place_back(
    serve: Serve, figure: Image, encode: Encode
) -> None:
    served = serve(max_concurrency=1, max_queue=0)
    start = b"POST /v1/parse HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n"
    with served.connect() as connection:
        connection.sendall(start + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b")
        wait_for(lambda: bool(_in_flight(served.service)))
    wait_for(lambda: not _in_flight(served.service))
    wait_for(lambda: _counted(served.service, "broken_uploads") == 1)
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}") as client:
        files = {"file": ("a.png", encode(figure), "image/png")}
        assert client.post("/v1/parse", files=files).status_code == 200


def _in_flight(service: Service) -> float | None:
    return service.metrics.registry.get_sample_value("maskwatch_in_flight")


def test_a_page_of_another_site_uses_up_nothing_of_its_visitors(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    foreign = {"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"}
    with _client_of(settings, rate_per_second=0.001, rate_burst=1) as (client, service):
        refused = [post(client, encode(figure), headers=foreign) for _ in range(3)]
        own = post(client, encode(figure), headers={"Sec-Fetch-Site": "same-origin"})
        assert [answer.status_code for answer in (*refused, own)] == [403, 403, 403, 200]
        assert refused[0].json()["type"] == "urn:maskwatch:problem:cross_site"
        assert _rows(service, "cross_site") == 1


def test_pages_of_other_sites_can_be_accepted(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    foreign = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
    for changes in (
        {"cross_site": CrossSite.ACCEPT},
        {"allowed_origins": ("https://app.example",)},
    ):
        with _client_of(settings, **changes) as (client, _):
            assert post(client, encode(figure), headers=foreign).status_code == 200
