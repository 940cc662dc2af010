"""The HTTP interface with the real model, a real database and real files."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from threading import Event
from uuid import UUID

import httpx2 as httpx
import numpy as np
import pytest
from httpx2 import Response
from PIL import Image as Pillow
from pycocotools import mask as coco
from sqlalchemy import select
from starlette.testclient import TestClient

from detectors.parsing import Image
from detectors.verdict import Mode
from inference.http.app import build_app
from inference.segmenters.reference.labels import LABELS
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.decisions import Kind, NewDecision, Scope, add_decision
from store.records import Stage
from store.tables import RequestRow
from tests.inference.http.conftest import Serve, until

Encode = Callable[..., bytes]
WaitFor = Callable[[Callable[[], bool]], None]


def _post(client: TestClient, data: bytes, accept: str | None = None) -> Response:
    files = {"file": ("a.png", data, "image/png")}
    return client.post("/v1/parse", files=files, headers={"Accept": accept} if accept else None)


def _row(service: Service, request_id: str) -> RequestRow:
    with service.database.read() as session:
        return session.scalars(select(RequestRow).where(RequestRow.request_id == request_id)).one()


# pycocotools' decoder still uses numpy's old array protocol; the service only encodes.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_masks_come_as_coco_rle_of_the_pictures_size(
    client: TestClient, service: Service, figure: Image, encode: Encode
) -> None:
    response = _post(client, encode(figure))
    body = response.json()
    assert response.status_code == 200
    assert set(body) == {"request_id", "verdict", "labels"}
    for mask in body["labels"]:
        assert mask["label"] in LABELS
        decoded = coco.decode({"size": mask["size"], "counts": mask["counts"].encode()})
        assert decoded.shape == figure.shape[:2]
        assert decoded.sum() == mask["area"] > 0
    row = _row(service, body["request_id"])
    assert (row.stage, row.status, row.verdict) == (Stage.PARSED, 200, body["verdict"])


def test_composite_is_a_picture_for_people(
    client: TestClient, figure: Image, encode: Encode
) -> None:
    response = _post(client, encode(figure), "image/png")
    with Pillow.open(BytesIO(response.content)) as picture:
        assert picture.mode == "RGB"
        assert picture.height == figure.shape[0]
        assert picture.width > figure.shape[1]


def test_label_picture_holds_label_indices(
    client: TestClient, figure: Image, encode: Encode
) -> None:
    accept = "image/vnd.maskwatch.labels+png"
    response = _post(client, encode(figure), accept)
    with Pillow.open(BytesIO(response.content)) as picture:
        values = np.array(picture)
        assert picture.mode == "P"
    assert values.shape == figure.shape[:2]
    assert 0 < values.max() < len(LABELS)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "empty_upload"),
        (b"hello, I am no picture", 415, "unsupported_type"),
        (b"\xff\xd8\xff\xe0" + bytes(500), 422, "unreadable"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), 422, "unreadable"),
    ],
)
def test_bad_files_get_a_problem_document_and_a_record(
    client: TestClient, service: Service, data: bytes, status: int, code: str
) -> None:
    response = _post(client, data)
    body = response.json()
    assert response.status_code == body["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:maskwatch:problem:{code}"
    assert response.headers["x-request-id"] == body["request_id"]
    UUID(body["request_id"])
    row = _row(service, body["request_id"])
    assert (row.stage, row.verdict, row.reasons) == (Stage.GATE, "refuse", [code])


def test_a_wrong_field_name_is_said_and_recorded(
    client: TestClient, service: Service, figure: Image, encode: Encode
) -> None:
    response = client.post("/v1/parse", files={"image": ("a.png", encode(figure), "image/png")})
    assert response.status_code == 422
    assert "'file'" in response.json()["detail"]
    assert _row(service, response.json()["request_id"]).reasons == ["wrong_field"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"raw bytes", "image/png"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=y"),
        (b"", "multipart/form-data"),
    ],
)
def test_broken_forms_are_client_errors(client: TestClient, content: bytes, kind: str) -> None:
    response = client.post("/v1/parse", content=content, headers={"Content-Type": kind})
    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"


def test_an_upload_over_the_limit_is_cut_off_even_without_a_declared_length(
    client: TestClient, service: Service
) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(40):
            sent += 1
            yield bytes(1_000_000)

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    response = client.post("/v1/parse", content=body(), headers=kind)
    assert response.status_code == 413
    assert _row(service, response.json()["request_id"]).reasons == ["too_many_bytes"]


def test_nothing_of_the_inside_shows(client: TestClient, tmp_path: Path) -> None:
    for response in (
        _post(client, b"nonsense"),
        client.get("/v1/parse"),
        client.get("/nowhere"),
        client.get("/docs"),
        client.get("/openapi.json"),
    ):
        assert response.status_code >= 400
        shown = response.text + str(response.headers)
        assert "Traceback" not in shown
        assert str(tmp_path) not in shown
        assert "uvicorn" not in shown.lower()


def test_a_fault_inside_is_answered_plainly_and_recorded(
    service: Service, figure: Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: object, _image: Image) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(service.pipeline.segmenter), "parse", broken)
    with TestClient(build_app(service), raise_server_exceptions=False) as client:
        response = _post(client, encode(figure))
    assert response.status_code == 500
    assert "secret" not in response.text
    assert _row(service, response.json()["request_id"]).stage == Stage.FAILED


def test_a_blocked_client_is_refused_before_its_body_is_read(
    service_on_both: Service, figure: Image, encode: Encode, wait_for: WaitFor
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
        before = _post(client, encode(figure))
        with service_on_both.database.write() as session:
            add_decision(session, decision, now)
        wait_for(lambda: _post(client, b"no picture").status_code == 403)
        after = _post(client, encode(figure))
    assert (before.status_code, after.status_code) == (200, 403)
    assert after.json()["type"] == "urn:maskwatch:problem:blocked"
    row = _row(service_on_both, after.json()["request_id"])
    assert (row.stage, row.content_sha256) == (Stage.ADMISSION, None)


def test_an_exact_picture_can_be_blocked(
    client: TestClient, service: Service, figure: Image, encode: Encode, wait_for: WaitFor
) -> None:
    now = datetime.now(UTC)
    data = encode(figure)
    first = _post(client, data)
    content = _row(service, first.json()["request_id"]).content_sha256
    assert content is not None
    decision = NewDecision(
        Kind.BLOCK,
        Scope.CONTENT,
        content,
        "by_hand",
        "analyst",
        "A test.",
        "tester",
        now + timedelta(minutes=5),
    )
    with service.database.write() as session:
        add_decision(session, decision, now)
    wait_for(lambda: _post(client, data).status_code == 403)
    assert _post(client, encode(figure[::-1])).status_code == 200


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
        row = _row(service, response.json()["request_id"])
    assert (response.status_code, row.reasons, read) == (503, ["overloaded"], 0)
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) > 0


def test_whoever_waits_too_long_for_a_turn_is_told_to_come_again(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    gate = Event()
    with _client_of(settings, max_concurrency=1, max_wait_seconds=0) as (client, service):
        assert client.portal is not None
        working = client.portal.start_task_soon(service.slots.work, gate.wait)
        refused = _post(client, encode(figure))
        gate.set()
        working.result()
        served = _post(client, encode(figure))
    assert (refused.status_code, served.status_code) == (503, 200)
    assert int(refused.headers["retry-after"]) > 0


def test_one_client_may_only_have_so_many_uploads_under_way(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    with _client_of(settings, max_uploads_per_client=1) as (client, service):
        assert client.portal is not None
        with client.portal.wrap_async_context_manager(service.slots.enter("ip:testclient")):
            refused = _post(client, encode(figure))
        served = _post(client, encode(figure))
    assert (refused.status_code, served.status_code) == (429, 200)
    assert refused.json()["type"] == "urn:maskwatch:problem:too_many_uploads"
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
    with _client_of(settings, rate_per_second=0.001, rate_burst=1) as (client, service):
        answers = [_post(client, b"no picture") for _ in range(30)]
        assert [answer.status_code for answer in answers] == [415] + [429] * 29
        assert len({answer.json()["request_id"] for answer in answers}) == 30
        assert _rows(service, "rate_limited") == 1
        assert _counted(service, "reasons", reason="rate_limited") == 29
        assert _counted(service, "requests", verdict="refuse", stage="admission") == 29
        assert _counted(service, "unrecorded_refusals", reason="rate_limited") == 28


def test_what_the_gate_refuses_is_recorded_each_time(client: TestClient, service: Service) -> None:
    for _ in range(5):
        _post(client, b"no picture")
    assert _rows(service, "unsupported_type") == 5
    assert _counted(service, "unrecorded_refusals", reason="unsupported_type") == 0


def test_an_upload_that_is_broken_off_is_counted_and_gives_its_place_back(
    serve: Serve, figure: Image, encode: Encode
) -> None:
    served = serve(max_concurrency=1, max_queue=0)
    start = b"POST /v1/parse HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n"
    with served.connect() as connection:
        connection.sendall(start + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b")
        until(lambda: bool(_in_flight(served.service)))
    until(lambda: not _in_flight(served.service))
    assert _counted(served.service, "broken_uploads") == 1
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}") as client:
        files = {"file": ("a.png", encode(figure), "image/png")}
        assert client.post("/v1/parse", files=files).status_code == 200


def _in_flight(service: Service) -> float | None:
    return service.metrics.registry.get_sample_value("maskwatch_in_flight")


def test_enforce_refuses_what_monitor_only_flags(settings: ServiceSettings, encode: Encode) -> None:
    empty_street = np.random.default_rng(0).integers(90, 110, (300, 200, 3)).astype(np.uint8)
    statuses = {}
    for mode in Mode:
        service = build_service(settings.model_copy(update={"mode": mode}))
        with TestClient(build_app(service)) as client:
            response = _post(client, encode(empty_street))
        row = _row(service, response.json()["request_id"])
        statuses[mode.value] = (response.status_code, row.verdict)
        service.close()
    assert statuses == {"monitor": (200, "flag"), "enforce": (422, "refuse")}


def test_unacceptable_answers_are_named(client: TestClient, figure: Image, encode: Encode) -> None:
    response = _post(client, encode(figure), "text/html")
    assert response.status_code == 406
    assert "image/png" in response.json()["detail"]


def test_health_readiness_and_metrics(client: TestClient, figure: Image, encode: Encode) -> None:
    _post(client, encode(figure))
    _post(client, b"no")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    text = client.get("/metrics").text
    assert 'maskwatch_reasons_total{reason="unsupported_type"} 1.0' in text
    assert "maskwatch_request_seconds_count 2.0" in text
