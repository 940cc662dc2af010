"""What the tests of observing share: a service behind a peer, its keys, its records and counts."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from sqlalchemy import select
from starlette.testclient import TestClient

from inference.http.app import build_app
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.people.api_keys import add_key
from store.people.key_scopes import KeyScope
from store.tables.request_tables import RequestRow
from tests.waiting import wait_for

Encode = Callable[..., bytes]
Headers = Mapping[str, str]
PEER, VISITOR = "198.51.100.9", "203.0.113.7"


@contextmanager
def open_service(
    settings: ServiceSettings, **changes: object
) -> Iterator[tuple[TestClient, Service]]:
    with (
        closing(build_service(settings.model_copy(update=changes))) as service,
        TestClient(build_app(service), client=(PEER, 50_000)) as client,
    ):
        yield client, service


def add_logger_key(service: Service, *scopes: KeyScope) -> str:
    with service.database.write() as session:
        secret = add_key(session, "logger", "ada", datetime.now(UTC), scopes)
    wait_for(lambda: service.access.current.find_key(secret) is not None)
    return secret


def wait_for_rows(service: Service, count: int = 1) -> Sequence[RequestRow]:
    """The records, once there are so many."""

    def read() -> Sequence[RequestRow]:
        with service.database.read() as session:
            return session.scalars(select(RequestRow).order_by(RequestRow.id)).all()

    wait_for(lambda: len(read()) >= count)
    return read()


def count_observations(service: Service, outcome: str) -> float:
    name = "maskwatch_observations_total"
    return service.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


def to_base64(data: bytes) -> str:
    return b64encode(data).decode()
