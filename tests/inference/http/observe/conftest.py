"""A service on each database that reports are sent to, and a key for it."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from inference.http.app import build_app
from inference.service import Service
from store.people.key_scopes import KeyScope
from tests.inference.http.observe.observed import PEER, Headers, add_logger_key


@pytest.fixture
def observed(service_on_both: Service) -> Iterator[TestClient]:
    with TestClient(build_app(service_on_both), client=(PEER, 50_000)) as client:
        yield client


@pytest.fixture
def key(service_on_both: Service) -> Headers:
    return {"X-API-Key": add_logger_key(service_on_both, KeyScope.OBSERVE)}
