"""``POST /v1/observe``: reports over HTTP become records, on both databases."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from sqlalchemy import select
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.service import Service
from store.baselines.source_names import find_name
from store.requests.record_store import features_of
from store.requests.records import Stage
from store.tables.request_tables import RequestRow
from tests.inference.http.observe.observed import (
    VISITOR,
    Encode,
    Headers,
    count_observations,
    to_base64,
    wait_for_rows,
)
from tests.waiting import wait_for


def _label_png(label_map: Image) -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(label_map).save(buffer, "PNG")
    return buffer.getvalue()


def _masks(segmenter: ReferenceSegmenter, figure: Image) -> tuple[dict[str, Any], bytes]:
    """How the reference segmenter would answer as somebody else's service."""
    parsing = segmenter.parse(figure)
    fields = {"format": {"kind": "label_png"}, "labels": {"names": list(segmenter.labels)}}
    return fields | {"media_type": "image/png"}, _label_png(parsing.label_map)


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
        "picture": to_base64(encode(figure)),
        "masks": fields | {"answer": to_base64(answer)},
    }
    response = observed.post("/v1/observe", json=report, headers=key)
    assert response.status_code == 202
    [row] = wait_for_rows(service_on_both)
    assert row.request_id == response.json()["request_id"]
    assert (row.client, row.route, row.status) == (f"ip:{VISITOR}", "observe", 201)
    assert (row.stage, row.media_type) == (Stage.PARSED, "image/png")
    assert abs(row.received_at - (now - timedelta(seconds=5))) < timedelta(milliseconds=1)
    assert row.labels == list(segmenter.parse(figure).present_labels())
    assert row.segmenter not in {None, segmenter.digest}
    wait_for(lambda: count_observations(service_on_both, "recorded") == 1)
    with service_on_both.database.read() as session:
        assert find_name(session, row.segmenter) == "label_png of key:logger"
        features = features_of(session, row.id)
    assert features is not None
    assert (features["forward_ms"], features["width"]) == (81.5, figure.shape[1])
    assert features["persons"] >= 1
    assert features["foreground_share"] > 0
    assert np.isnan(features["glance_divergence"])
    assert np.isnan(features["ensemble_passes"])
    wait_for(lambda: count_observations(service_on_both, "recorded") == 1)


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
    [row] = wait_for_rows(service_on_both)
    assert (row.client, row.stage, row.status) == (f"ip:{VISITOR}", Stage.PARSED, 0)
    assert row.labels == list(segmenter.parse(figure).present_labels())


def test_features_alone_are_recorded_as_they_are(
    observed: TestClient, service_on_both: Service, key: Headers
) -> None:
    report = {"features": {"width": 640, "height": 480, "persons": 2}, "latency_ms": 3}
    assert observed.post("/v1/observe", json=report, headers=key).status_code == 202
    [row] = wait_for_rows(service_on_both)
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
        report = {"client": VISITOR, "picture": to_base64(picture)}
        assert observed.post("/v1/observe", json=report, headers=key).status_code == 202
    good, bad = wait_for_rows(service_on_both, 2)
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
    report = {"picture": to_base64(encode(figure)), "masks": fields | {"answer": to_base64(answer)}}
    assert observed.post("/v1/observe", json=report, headers=key).status_code == 202
    [row] = wait_for_rows(service_on_both)
    assert (row.stage, row.reasons) == (Stage.GATE, ["answer_not_read"])
    assert count_observations(service_on_both, "fault") == 0


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
    assert count_observations(service_on_both, "bad_observation") == 1
    with service_on_both.database.read() as session:
        assert session.scalars(select(RequestRow)).all() == []
