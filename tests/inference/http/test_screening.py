"""``POST /v1/screen``: admission and gate alone."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.http.app import build_app
from inference.service import Service
from store.requests.records import Stage
from store.tables.request_tables import RequestRow
from tests.inference.http.conftest import block, stored_row

Encode = Callable[..., bytes]


def _screen(client: TestClient, data: bytes, **options: Any) -> Any:
    headers = {"Content-Type": "image/png"}
    return client.post("/v1/screen", content=data, headers=headers, **options)


def _count_records(service: Service) -> int:
    with service.database.read() as session:
        return session.scalar(select(func.count()).select_from(RequestRow)) or 0


def test_an_acceptable_picture_passes_and_leaves_no_record(
    client: TestClient, service: Service, figure: Image, encode: Encode
) -> None:
    answer = _screen(client, encode(figure))
    assert (answer.status_code, answer.content) == (204, b"")
    assert UUID(answer.headers["x-request-id"])
    assert _count_records(service) == 0


def test_a_form_is_read_as_it_is_for_parsing(
    client: TestClient, figure: Image, encode: Encode
) -> None:
    picture = encode(figure)
    one = client.post("/v1/screen", files={"image": ("a.png", picture, "image/png")})
    two = client.post(
        "/v1/screen", files=[("image", ("a.png", picture)), ("image", ("b.png", b"x"))]
    )
    assert one.status_code == 204
    assert (two.status_code, two.json()["type"]) == (422, "urn:maskwatch:problem:wrong_field")


def test_a_bad_file_is_refused_and_recorded(client: TestClient, service: Service) -> None:
    answer = _screen(client, b"\x89PNG\r\n\x1a\n" + bytes(500))
    body = answer.json()
    assert (answer.status_code, body["type"]) == (422, "urn:maskwatch:problem:unreadable")
    row = stored_row(service, body["request_id"])
    assert (row.stage, row.status, row.route) == (Stage.GATE, 422, "screen")
    assert row.content_sha256 is not None


def test_a_blocked_client_is_refused_before_its_body_is_looked_at(service: Service) -> None:
    block(service, "ip:203.0.113.7")
    with TestClient(build_app(service), client=("203.0.113.7", 5)) as client:
        assert _screen(client, b"no picture").status_code == 403


def test_a_fault_of_the_gate_refuses(
    client: TestClient, service: Service, figure: Image, encode: Encode
) -> None:
    service.pipeline.gate.close()
    answer = _screen(client, encode(figure))
    assert answer.status_code in {500, 503}
    assert stored_row(service, answer.json()["request_id"]).status == answer.status_code
