"""KServe's payload logger, in our words, between a model and the service as its sink."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import numpy as np
import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from detectors.parsing import Image
from inference.service import Service
from store.requests.record_store import features_of
from store.tables.request_tables import RequestRow
from tests.inference.http.conftest import Serve
from tests.inference.http.proxy.contract_services import (
    HEAD_LENGTH,
    TIMEOUT_SECONDS,
    Decoded,
    build_kserve,
    infer_v2,
    infer_v2_pixels,
)
from tests.maskwatch.client.conftest import serving_asgi
from tests.waiting import wait_for

Encode = Callable[..., bytes]
_VISITOR = "203.0.113.7"
_PASSED = ("content-type", HEAD_LENGTH.lower())


@dataclass
class PayloadLogger:
    """Passes requests on to a model, and both halves of each exchange to a sink.

    Attributes:
        statuses: what the sink answered.
    """

    model: str
    sink: str
    statuses: list[int] = field(default_factory=list)

    def build_app(self) -> Starlette:
        """The application."""
        return Starlette(routes=[Route("/{path:path}", self._pass, methods=["POST"])])

    async def _pass(self, request: Request) -> Response:
        body, sent = await request.body(), _pick(request.headers)
        event = {
            "ce-specversion": "1.0",
            "ce-id": str(uuid4()),
            "ce-source": "http://localhost:9081/",
            "ce-inferenceservicename": "parser",
            "ce-namespace": "people",
            "ce-metadata": _write_metadata(sent),
            # Of the request in both events.
            "content-type": sent["content-type"],
        }
        async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
            await self._log(http, event, "request", body)
            answer = await http.post(self.model + request.url.path, content=body, headers=sent)
            await self._log(http, event, "response", answer.content)
        return Response(answer.content, answer.status_code, _pick(answer.headers))

    async def _log(self, http: Any, event: Mapping[str, str], side: str, body: bytes) -> None:
        headers = {**event, "ce-type": f"org.kubeflow.serving.inference.{side}"}
        answer = await http.post(f"{self.sink}/v1/observe", content=body, headers=headers)
        self.statuses.append(answer.status_code)


def _pick(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _PASSED if name in headers}


def _write_metadata(headers: Mapping[str, str]) -> str:
    """Headers of the request that the logger was told to hand on."""
    chosen = {"X-Forwarded-For": [_VISITOR]}
    if HEAD_LENGTH.lower() in headers:
        chosen[HEAD_LENGTH] = [headers[HEAD_LENGTH.lower()]]
    return json.dumps(chosen)


@dataclass(frozen=True)
class Logged:
    """A model whose exchanges are logged to a service."""

    logger: PayloadLogger
    service: Service
    model: str
    url: str

    def row(self) -> RequestRow:
        """The only record, once it is there."""

        def read() -> list[RequestRow]:
            with self.service.database.read() as session:
                return list(session.scalars(select(RequestRow)))

        wait_for(lambda: len(read()) == 1)
        return read()[0]


@pytest.fixture
def decoded() -> Decoded:
    """Pictures as the model decoded them."""
    return []


@pytest.fixture
def logged(serve: Serve, decoded: Decoded) -> Iterator[Logged]:
    served = serve(require_observe_key=False)
    with serving_asgi(build_kserve(decoded)) as model:
        logger = PayloadLogger(model, served.url)
        with serving_asgi(logger.build_app()) as url:
            yield Logged(logger, served.service, model, url)


def test_an_exchange_in_json_becomes_a_record_with_features(
    logged: Logged, figure: Image, encode: Encode
) -> None:
    expected = infer_v2(logged.model, encode(figure))
    assert infer_v2(logged.url, encode(figure)).content == expected.content
    row = logged.row()
    assert logged.logger.statuses == [200, 200]
    assert (row.client, row.route, row.status) == (f"ip:{_VISITOR}", "observe", 200)
    assert (row.stage, row.labels) == ("parsed", ["Hair", "Face"])
    with logged.service.database.read() as session:
        features = features_of(session, row.id)
    assert features is not None
    assert features["foreground_share"] > 0


def test_an_exchange_in_binary_tensors_becomes_a_record(
    logged: Logged, figure: Image, decoded: Decoded
) -> None:
    expected = infer_v2_pixels(logged.model, figure)
    assert infer_v2_pixels(logged.url, figure).content == expected.content
    assert all(np.array_equal(pixels, figure) for pixels in decoded)
    row = logged.row()
    assert logged.logger.statuses == [200, 200]
    assert (row.stage, row.labels) == ("parsed", ["Hair", "Face"])


def test_a_hostile_file_is_recorded_as_refused_and_does_not_hold_up_the_model(
    logged: Logged,
) -> None:
    assert infer_v2(logged.url, b"GIF89a" + bytes(42)).status_code == 500
    row = logged.row()
    assert logged.logger.statuses == [200, 200]
    assert (row.stage, row.verdict, row.reasons) == ("gate", "refuse", ["unsupported_type"])
