"""The description of the interface holds: schemathesis asks what it allows and what it does not."""

from io import BytesIO
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from schemathesis import Case
from schemathesis.checks import CHECKS

from inference.figures import draw_figure
from inference.http.app import build_app
from inference.service import Service
from tests.inference.http.conftest import Serve, Served
from tools.openapi.description import describe
from tools.openapi.refusals import parse_refusals


def _picture(kind: str) -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(draw_figure(3, (96, 64)).image).save(buffer, kind)
    return buffer.getvalue()


_PICTURES = [_picture(kind) for kind in ("JPEG", "PNG", "WEBP")]
schemathesis.openapi.format("binary", st.sampled_from(_PICTURES) | st.binary(min_size=1))
SCHEMA = schemathesis.openapi.from_dict(describe())
# A picture that is refused is valid data all the same: only its bytes can tell.
_NOT_APPLICABLE: list[Any] = CHECKS.get_by_names(["positive_data_acceptance"])


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve(rate_per_second=0)


@SCHEMA.parametrize()
@settings(max_examples=100)
def test_every_answer_is_one_that_is_described(case: Case[Any], served: Served) -> None:
    case.call_and_validate(base_url=served.url, excluded_checks=_NOT_APPLICABLE, timeout=300)


def test_the_description_has_the_routes_of_the_service(service: Service) -> None:
    routes = {
        (route.path, method.lower())
        for route in build_app(service).routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    described = {
        (path, method) for path, methods in describe()["paths"].items() for method in methods
    }
    assert routes == described


def test_every_refusal_is_described_under_its_status() -> None:
    responses = describe()["paths"]["/v1/parse"]["post"]["responses"]
    assert all(
        f"`{refusal.code}`" in responses[str(refusal.status.value)]["description"]
        for refusal in parse_refusals()
    )
