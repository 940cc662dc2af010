"""``POST /v1/observe``: reports and events over HTTP become records, on both databases."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from threading import Event, Thread, current_thread
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image as Pillow
from sqlalchemy import select
from starlette.requests import Request
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.http.app import build_app
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.upstream.observe.observe_settings import WhenFull
from store.baselines.source_names import find_name
from store.people.api_keys import KeyScope, add_key
from store.requests.record_store import features_of
from store.requests.records import Stage
from store.tables.request_tables import RequestRow
from tests.inference.http.conftest import block
from tests.waiting import wait_for

Encode = Callable[..., bytes]
Headers = Mapping[str, str]
PEER, VISITOR = "198.51.100.9", "203.0.113.7"
REQUEST, RESPONSE = "request", "response"


@contextmanager
def _opened(settings: ServiceSettings, **changes: object) -> Iterator[tuple[TestClient, Service]]:
    with (
        closing(build_service(settings.model_copy(update=changes))) as service,
        TestClient(build_app(service), client=(PEER, 50_000)) as client,
    ):
        yield client, service


@pytest.fixture
def observed(service_on_both: Service) -> Iterator[TestClient]:
    with TestClient(build_app(service_on_both), client=(PEER, 50_000)) as client:
        yield client


@pytest.fixture
def key(service_on_both: Service) -> Headers:
    return {"X-API-Key": _add_key(service_on_both, KeyScope.OBSERVE)}


def _add_key(service: Service, *scopes: KeyScope) -> str:
    with service.database.write() as session:
        secret = add_key(session, "logger", "ada", datetime.now(UTC), scopes)
    wait_for(lambda: service.access.current.find_key(secret) is not None)
    return secret


def _rows(service: Service, count: int = 1) -> Sequence[RequestRow]:
    """The records, once there are so many."""

    def read() -> Sequence[RequestRow]:
        with service.database.read() as session:
            return session.scalars(select(RequestRow).order_by(RequestRow.id)).all()

    wait_for(lambda: len(read()) >= count)
    return read()


def _count(service: Service, outcome: str) -> float:
    name = "maskwatch_observations_total"
    return service.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


def _halves(service: Service, side: str, fate: str) -> float:
    name = "maskwatch_event_halves_total"
    labels = {"side": side, "fate": fate}
    return service.metrics.registry.get_sample_value(name, labels) or 0.0


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _label_png(label_map: Image) -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(label_map).save(buffer, "PNG")
    return buffer.getvalue()


def _masks(segmenter: ReferenceSegmenter, figure: Image) -> tuple[dict[str, Any], bytes]:
    """How the reference segmenter would answer as somebody else's service."""
    parsing = segmenter.parse(figure)
    fields = {"format": {"kind": "label_png"}, "labels": {"names": list(segmenter.labels)}}
    return fields | {"media_type": "image/png"}, _label_png(parsing.label_map)


@pytest.mark.parametrize(("packing", "is_packed"), [("gzip", True), ("", False)])
def test_an_empty_content_encoding_packs_nothing(
    settings: ServiceSettings, packing: str, is_packed: bool
) -> None:
    with _opened(settings) as (client, service):
        headers = {"X-API-Key": _add_key(service, KeyScope.OBSERVE), "Content-Encoding": packing}
        answer = client.post("/v1/observe", json={}, headers=headers)
    assert (answer.status_code == 415) is is_packed


def test_a_report_in_json_becomes_a_record_with_the_features_of_its_masks(
    observed: TestClient,
    service_on_both: Service,
    key: Headers,
    segmenter: ReferenceSegmenter,
    figure: Image,
    encode: Encode,
) -> None:
    fields, answer = _masks(segmenter, figure)
    now = datetime.now(UTC)
    report = {
        "client": VISITOR,
        "time": (now - timedelta(seconds=5)).isoformat(),
        "latency_ms": 81.5,
        "status": 201,
        "picture": _text(encode(figure)),
        "masks": fields | {"answer": _text(answer)},
    }
    response = observed.post("/v1/observe", json=report, headers=key)
    assert response.status_code == 202
    [row] = _rows(service_on_both)
    assert row.request_id == response.json()["request_id"]
    assert (row.client, row.route, row.status) == (f"ip:{VISITOR}", "observe", 201)
    assert (row.stage, row.media_type) == (Stage.PARSED, "image/png")
    assert abs(row.received_at - (now - timedelta(seconds=5))) < timedelta(milliseconds=1)
    assert row.labels == list(segmenter.parse(figure).present_labels())
    assert row.segmenter not in {None, segmenter.digest}
    wait_for(lambda: _count(service_on_both, "recorded") == 1)
    with service_on_both.database.read() as session:
        assert find_name(session, row.segmenter) == "label_png of key:logger"
        features = features_of(session, row.id)
    assert features is not None
    assert (features["forward_ms"], features["width"]) == (81.5, figure.shape[1])
    assert features["persons"] >= 1
    assert features["foreground_share"] > 0
    assert np.isnan(features["glance_divergence"])
    assert np.isnan(features["ensemble_passes"])
    wait_for(lambda: _count(service_on_both, "recorded") == 1)


def test_a_report_in_a_form_says_the_same(
    observed: TestClient,
    service_on_both: Service,
    key: Headers,
    segmenter: ReferenceSegmenter,
    figure: Image,
    encode: Encode,
) -> None:
    fields, answer = _masks(segmenter, figure)
    del fields["media_type"]
    parts: dict[str, Any] = {
        "report": (None, json.dumps({"client": f"{VISITOR}:4711", "masks": fields})),
        "picture": ("a.png", encode(figure), "image/png"),
        "answer": ("masks", answer, "image/png"),
    }
    assert observed.post("/v1/observe", files=parts, headers=key).status_code == 202
    [row] = _rows(service_on_both)
    assert (row.client, row.stage, row.status) == (f"ip:{VISITOR}", Stage.PARSED, 0)
    assert row.labels == list(segmenter.parse(figure).present_labels())


def test_features_alone_are_recorded_as_they_are(
    observed: TestClient, service_on_both: Service, key: Headers
) -> None:
    report = {"features": {"width": 640, "height": 480, "persons": 2}, "latency_ms": 3}
    assert observed.post("/v1/observe", json=report, headers=key).status_code == 202
    [row] = _rows(service_on_both)
    assert (row.stage, row.client) == (Stage.PARSED, "unknown@key:logger")
    with service_on_both.database.read() as session:
        features = features_of(session, row.id)
    assert features is not None
    assert features.collect_values() == {
        "width": 640,
        "height": 480,
        "persons": 2,
        "forward_ms": 3,
    }


def test_a_picture_alone_is_gated_and_one_that_the_gate_refuses_is_recorded_so(
    observed: TestClient, service_on_both: Service, key: Headers, figure: Image, encode: Encode
) -> None:
    for picture in (encode(figure), b"no picture"):
        report = {"client": VISITOR, "picture": _text(picture)}
        assert observed.post("/v1/observe", json=report, headers=key).status_code == 202
    good, bad = _rows(service_on_both, 2)
    assert (good.stage, good.verdict, good.reasons) == (Stage.GATE, "pass", [])
    assert (bad.stage, bad.verdict, bad.reasons) == (Stage.GATE, "refuse", ["unsupported_type"])
    assert {good.route, bad.route} == {"observe"}


@pytest.mark.parametrize("answer", [b"<html>", b"", b"\x89PNG\r\n\x1a\n" + bytes(90)])
def test_masks_that_cannot_be_read_cost_only_themselves(
    observed: TestClient,
    service_on_both: Service,
    key: Headers,
    segmenter: ReferenceSegmenter,
    figure: Image,
    encode: Encode,
    answer: bytes,
) -> None:
    fields, _ = _masks(segmenter, figure)
    report = {"picture": _text(encode(figure)), "masks": fields | {"answer": _text(answer)}}
    assert observed.post("/v1/observe", json=report, headers=key).status_code == 202
    [row] = _rows(service_on_both)
    assert (row.stage, row.reasons) == (Stage.GATE, ["answer_not_read"])
    assert _count(service_on_both, "fault") == 0


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ({}, "give the picture or its features"),
        ({"picture": "AAAA", "features": {}}, "one of the two"),
        ({"features": {"moon": 1}}, "features"),
        ({"features": {"persons": -1}}, "features"),
        ({"features": {"total_ms": 1}}, "total_ms cannot be given"),
        ({"picture": "AAAA", "client": "key:acme"}, "client"),
        ({"picture": "AAAA", "status": 42}, "status"),
        ({"picture": "AAAA", "latency_ms": -1}, "latency_ms"),
        ({"picture": "AAAA", "moon": 1}, "moon"),
        ({"picture": "AAAA", "time": "2020-01-01T00:00:00+00:00"}, "its time"),
        ({"picture": "AAAA", "time": "2999-01-01T00:00:00+00:00"}, "its time"),
        ({"picture": "AAAA", "time": "2026-01-01T00:00:00"}, "time"),
        ({"picture": "AAAA", "masks": {"format": {"kind": "moon"}, "labels": {}}}, "masks.format"),
        ({"picture": "AAAA", "masks": {"format": {"kind": "label_png"}, "labels": {}}}, "answer"),
    ],
)
def test_a_report_that_cannot_be_used_says_why_and_is_not_recorded(
    observed: TestClient,
    service_on_both: Service,
    key: Headers,
    report: dict[str, object],
    why: str,
) -> None:
    response = observed.post("/v1/observe", json=report, headers=key)
    assert response.status_code == 422
    assert response.json()["type"] == "urn:maskwatch:problem:bad_observation"
    assert why in response.json()["detail"]
    assert _count(service_on_both, "bad_observation") == 1
    with service_on_both.database.read() as session:
        assert session.scalars(select(RequestRow)).all() == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b'{"a":1,"a":2}', 400),
        ("application/json", b"[" * 100_000, 400),
        ("text/plain", b"{}", 422),
        ("multipart/form-data", b"--b--", 400),
        ("multipart/form-data; boundary=b", b"--b--", 400),
        ("application/cloudevents+json", b"{}", 400),
    ],
)
def test_a_body_of_another_kind_is_refused(
    observed: TestClient, key: Headers, content_type: str, body: bytes, status: int
) -> None:
    headers = {**key, "Content-Type": content_type}
    assert observed.post("/v1/observe", content=body, headers=headers).status_code == status


def test_only_keys_for_observing_are_taken(settings: ServiceSettings) -> None:
    with _opened(settings) as (client, service):
        report = {"features": {"persons": 1}}
        assert client.post("/v1/observe", json=report).status_code == 401
        parsing = {"X-API-Key": _add_key(service, KeyScope.PARSE)}
        wrong = client.post("/v1/observe", json=report, headers=parsing)
        assert wrong.json()["type"] == "urn:maskwatch:problem:wrong_scope"
        assert _count(service, "key_required") == _count(service, "wrong_scope") == 1


def test_a_key_is_taken_as_the_password_of_an_address(
    observed: TestClient, service_on_both: Service, key: Headers
) -> None:
    auth = httpx2.BasicAuth("logger", key["X-API-Key"])
    report = {"features": {"persons": 1}}
    assert observed.post("/v1/observe", json=report, auth=auth).status_code == 202
    wrong = httpx2.BasicAuth("logger", "mwk_wrong")
    assert observed.post("/v1/observe", json=report, auth=wrong).status_code == 401
    for text in (b"\xe9", b"", b"====", b"bXdr"):
        broken = {b"Authorization": b"Basic " + text}
        assert observed.post("/v1/observe", json=report, headers=broken).status_code == 401


def test_without_a_key_only_if_that_is_set(settings: ServiceSettings) -> None:
    with _opened(settings, require_observe_key=False) as (client, service):
        response = client.post("/v1/observe", json={"features": {"persons": 1}})
        assert response.status_code == 202
        [row] = _rows(service)
        assert row.client == f"unknown@ip:{PEER}"
        block(service, f"ip:{PEER}")
        response = client.post("/v1/observe", json={"features": {"persons": 1}})
        assert response.status_code == 403


@pytest.mark.parametrize(
    ("when_full", "status", "outcome"),
    [
        (WhenFull.BUSY, 503, "observations_full"),
        (WhenFull.SLOW_DOWN, 429, "observations_full"),
        (WhenFull.DROP, 202, "dropped"),
    ],
)
def test_a_full_queue_is_told_as_it_is_set(
    settings: ServiceSettings, when_full: WhenFull, status: int, outcome: str
) -> None:
    changes = {"observe_queue": 1, "observe_when_full": when_full, "require_observe_key": False}
    with _opened(settings, **changes) as (client, service):
        go_on = Event()
        assert service.observer.accept(1, lambda: wait_for(go_on.is_set))
        response = client.post("/v1/observe", json={"features": {"persons": 1}})
        assert response.status_code == status
        assert _count(service, outcome) == 1
        if status != 202:
            assert response.headers["retry-after"] == "2"
        go_on.set()
        wait_for(service.observer.has_room)
        response = client.post("/v1/observe", json={"features": {"persons": 1}})
        assert response.status_code == 202
        assert len(_rows(service)) == 1


def test_one_that_is_too_large_is_refused_before_it_is_read(settings: ServiceSettings) -> None:
    with _opened(settings, observe_max_bytes=1_000, require_observe_key=False) as (client, _):
        response = client.post("/v1/observe", json={"picture": "A" * 2_000})
        assert response.status_code == 413


def _event(side: str, exchange: str, **changes: str) -> dict[str, str]:
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": exchange,
        "ce-type": f"org.kubeflow.serving.inference.{side}",
        "ce-source": "http://localhost:9081/",
        "ce-namespace": "people",
        "ce-inferenceservicename": "parser",
        "ce-metadata": json.dumps({"X-Forwarded-For": [f"192.0.2.1, {VISITOR}"]}),
        "Content-Type": "application/json",
    }
    return attributes | changes


def _request_body(picture: bytes) -> bytes:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [_text(picture)]}
    return json.dumps({"inputs": [tensor]}).encode()


def _response_body(label_map: Image) -> bytes:
    tensor = {
        "name": "labels",
        "datatype": "UINT8",
        "shape": list(label_map.shape),
        "data": label_map.ravel().tolist(),
    }
    return json.dumps({"model_name": "parser", "outputs": [tensor]}).encode()


def test_a_request_and_its_response_of_kserve_become_one_record(
    observed: TestClient, service_on_both: Service, key: Headers, figure: Image, encode: Encode
) -> None:
    label_map = np.zeros(figure.shape[:2], np.uint8)
    label_map[10:60, 10:60] = 13
    bodies = {REQUEST: _request_body(encode(figure)), RESPONSE: _response_body(label_map)}
    for side, body in bodies.items():
        headers = {**_event(side, "one"), **key}
        response = observed.post("/v1/observe", content=body, headers=headers)
        assert (response.status_code, response.content) == (200, b"")
    [row] = _rows(service_on_both)
    assert (row.client, row.route, row.status) == (f"ip:{VISITOR}", "observe", 200)
    assert (row.stage, row.labels) == (Stage.PARSED, ["Face"])
    assert _halves(service_on_both, REQUEST, "joined") == 1


def test_responses_that_come_first_and_twice_are_counted_and_joined_once(
    observed: TestClient, service_on_both: Service, key: Headers, figure: Image, encode: Encode
) -> None:
    body = _request_body(encode(figure))
    label_map = np.zeros(figure.shape[:2], np.uint8)
    sent = [
        (RESPONSE, _response_body(label_map)),
        (REQUEST, body),
        (RESPONSE, _response_body(label_map)),
    ]
    for side, data in sent:
        headers = {**_event(side, "one"), **key}
        assert observed.post("/v1/observe", content=data, headers=headers).status_code == 200
    assert len(_rows(service_on_both)) == 1
    assert _halves(service_on_both, REQUEST, "out_of_order") == 1
    assert _halves(service_on_both, RESPONSE, "doubled") == 1


def test_a_request_whose_response_is_lost_is_recorded_without_a_parse(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    changes = {"observe_join_seconds": 0.2, "require_observe_key": False}
    with _opened(settings, **changes) as (client, service):
        body, headers = _request_body(encode(figure)), _event(REQUEST, "one")
        assert client.post("/v1/observe", content=body, headers=headers).status_code == 200
        [row] = _rows(service)
        assert (row.stage, row.status, row.client) == (Stage.GATE, 0, f"ip:{VISITOR}")
        assert _halves(service, REQUEST, "lost") == 1


def test_halves_of_different_services_are_never_joined(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    with _opened(settings, require_observe_key=False) as (client, service):
        label_map = np.zeros(figure.shape[:2], np.uint8)
        other = _event(RESPONSE, "one", **{"ce-inferenceservicename": "other"})
        client.post("/v1/observe", content=_response_body(label_map), headers=other)
        body = _request_body(encode(figure))
        client.post("/v1/observe", content=body, headers=_event(REQUEST, "one"))
        assert _halves(service, REQUEST, "out_of_order") == 0
    assert _halves(service, REQUEST, "lost") == _halves(service, RESPONSE, "lost") == 1


def test_a_request_that_cannot_be_read_is_recorded_as_refused(settings: ServiceSettings) -> None:
    with _opened(settings, require_observe_key=False) as (client, service):
        for side in (REQUEST, RESPONSE):
            headers = _event(side, "one", **{"ce-metadata": "{}"})
            assert client.post("/v1/observe", content=b"{}", headers=headers).status_code == 200
        [row] = _rows(service)
        assert (row.verdict, row.route, row.reasons) == ("refuse", "observe", ["not_json"])
        assert row.client == f"unknown@ip:{PEER}"


@pytest.mark.parametrize(
    "changes",
    [
        {"ce-type": "org.example.other"},
        {"ce-specversion": "0.3"},
        {"ce-id": ""},
        {"Content-Type": "x" * 2_000},
    ],
)
def test_other_events_are_refused(settings: ServiceSettings, changes: Headers) -> None:
    with _opened(settings, require_observe_key=False) as (client, _):
        headers = _event(REQUEST, "one", **changes)
        response = client.post("/v1/observe", content=b"{}", headers=headers)
        assert response.status_code == 400
        assert response.json()["type"] == "urn:maskwatch:problem:bad_event"


class _Pieces(list[bytes]):
    """Pieces of a body that remember who put them together."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__(pieces)
        self.readers: list[Thread] = []

    def __iter__(self) -> Iterator[bytes]:
        self.readers.append(current_thread())
        return super().__iter__()


@pytest.mark.parametrize("is_event", [True, False])
def test_no_body_is_put_together_where_all_others_would_wait(
    observed: TestClient,
    key: Headers,
    monkeypatch: pytest.MonkeyPatch,
    is_event: bool,
) -> None:
    received: list[tuple[Thread, _Pieces]] = []

    async def collect(request: Request, *_limits: object) -> _Pieces:
        pieces = _Pieces(iter([piece async for piece in request.stream()]))
        received.append((current_thread(), pieces))
        return pieces

    monkeypatch.setattr("inference.http.observe.collect_body", collect)
    head = _event(REQUEST, "one") if is_event else {"Content-Type": "application/json"}
    observed.post("/v1/observe", content=b"{}", headers={**head, **key})
    [(loop, pieces)] = received
    assert pieces.readers
    assert loop not in pieces.readers
