"""What a body may be: its kind, its packing, its size, and who puts it together."""

from collections.abc import Iterator
from threading import Thread, current_thread

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from inference.settings import ServiceSettings
from store.people.key_scopes import KeyScope
from tests.inference.http.observe.events import REQUEST, make_event
from tests.inference.http.observe.observed import Headers, add_logger_key, open_service


@pytest.mark.parametrize(("packing", "is_packed"), [("gzip", True), ("", False)])
def test_an_empty_content_encoding_packs_nothing(
    settings: ServiceSettings, packing: str, is_packed: bool
) -> None:
    with open_service(settings) as (client, service):
        headers = {
            "X-API-Key": add_logger_key(service, KeyScope.OBSERVE),
            "Content-Encoding": packing,
        }
        answer = client.post("/v1/observe", json={}, headers=headers)
    assert (answer.status_code == 415) is is_packed


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


def test_one_that_is_too_large_is_refused_before_it_is_read(settings: ServiceSettings) -> None:
    with open_service(settings, observe_max_bytes=1_000, require_observe_key=False) as (client, _):
        response = client.post("/v1/observe", json={"picture": "A" * 2_000})
        assert response.status_code == 413


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
    head = make_event(REQUEST, "one") if is_event else {"Content-Type": "application/json"}
    observed.post("/v1/observe", content=b"{}", headers={**head, **key})
    [(loop, pieces)] = received
    assert pieces.readers
    assert loop not in pieces.readers
