"""Events of KServe's logger: two halves become one record."""

import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.service import Service
from inference.settings import ServiceSettings
from store.requests.records import Stage
from tests.inference.http.observe.events import REQUEST, RESPONSE, make_event
from tests.inference.http.observe.observed import (
    PEER,
    VISITOR,
    Encode,
    Headers,
    open_service,
    to_base64,
    wait_for_rows,
)


def _count_halves(service: Service, side: str, fate: str) -> float:
    name = "maskwatch_event_halves_total"
    labels = {"side": side, "fate": fate}
    return service.metrics.registry.get_sample_value(name, labels) or 0.0


def _request_body(picture: bytes) -> bytes:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [to_base64(picture)]}
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
        headers = {**make_event(side, "one"), **key}
        response = observed.post("/v1/observe", content=body, headers=headers)
        assert (response.status_code, response.content) == (200, b"")
    [row] = wait_for_rows(service_on_both)
    assert (row.client, row.route, row.status) == (f"ip:{VISITOR}", "observe", 200)
    assert (row.stage, row.labels) == (Stage.PARSED, ["Face"])
    assert _count_halves(service_on_both, REQUEST, "joined") == 1


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
        headers = {**make_event(side, "one"), **key}
        assert observed.post("/v1/observe", content=data, headers=headers).status_code == 200
    assert len(wait_for_rows(service_on_both)) == 1
    assert _count_halves(service_on_both, REQUEST, "out_of_order") == 1
    assert _count_halves(service_on_both, RESPONSE, "doubled") == 1


def test_a_request_whose_response_is_lost_is_recorded_without_a_parse(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    changes = {"observe_join_seconds": 0.2, "require_observe_key": False}
    with open_service(settings, **changes) as (client, service):
        body, headers = _request_body(encode(figure)), make_event(REQUEST, "one")
        assert client.post("/v1/observe", content=body, headers=headers).status_code == 200
        [row] = wait_for_rows(service)
        assert (row.stage, row.status, row.client) == (Stage.GATE, 0, f"ip:{VISITOR}")
        assert _count_halves(service, REQUEST, "lost") == 1


def test_halves_of_different_services_are_never_joined(
    settings: ServiceSettings, figure: Image, encode: Encode
) -> None:
    with open_service(settings, require_observe_key=False) as (client, service):
        label_map = np.zeros(figure.shape[:2], np.uint8)
        other = make_event(RESPONSE, "one", **{"ce-inferenceservicename": "other"})
        client.post("/v1/observe", content=_response_body(label_map), headers=other)
        body = _request_body(encode(figure))
        client.post("/v1/observe", content=body, headers=make_event(REQUEST, "one"))
        assert _count_halves(service, REQUEST, "out_of_order") == 0
    assert _count_halves(service, REQUEST, "lost") == _count_halves(service, RESPONSE, "lost") == 1


def test_a_request_that_cannot_be_read_is_recorded_as_refused(settings: ServiceSettings) -> None:
    with open_service(settings, require_observe_key=False) as (client, service):
        for side in (REQUEST, RESPONSE):
            headers = make_event(side, "one", **{"ce-metadata": "{}"})
            assert client.post("/v1/observe", content=b"{}", headers=headers).status_code == 200
        [row] = wait_for_rows(service)
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
    with open_service(settings, require_observe_key=False) as (client, _):
        headers = make_event(REQUEST, "one", **changes)
        response = client.post("/v1/observe", content=b"{}", headers=headers)
        assert response.status_code == 400
        assert response.json()["type"] == "urn:maskwatch:problem:bad_event"
