"""Clients of the demo: each speaks HTTP from an address of its own."""

from dataclasses import dataclass
from io import BytesIO
from time import monotonic, sleep
from typing import Protocol

import httpx2 as httpx
import numpy as np
from PIL import Image as Pillow
from sqlalchemy import select

from maskwatch.demo.pictures import Picture
from store.engine.database import Database
from store.tables.request_tables import RequestRow

_RECORD_SECONDS = 30.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Cast:
    """Addresses of the clients; all are reserved for documentation (RFC 5737)."""

    neighbours: tuple[str, ...]
    vandal: str
    artist: str
    prober: str


CAST_OF_SERVICE = Cast(
    tuple(f"203.0.113.{n}" for n in range(10, 34)),
    vandal="198.51.100.7",
    artist="198.51.100.23",
    prober="198.51.100.42",
)
CAST_OF_PAGE = Cast(
    tuple(f"203.0.113.{n}" for n in range(110, 134)),
    vandal="192.0.2.7",
    artist="192.0.2.23",
    prober="192.0.2.42",
)


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status, the verdict or the problem's code, labelled pixels."""

    status: int
    outcome: str
    area: int = 0


class Desk(Protocol):
    """Where pictures are handed in."""

    def send(self, address: str, picture: Picture) -> Answer:
        """Upload a picture from an address and read the answer."""


@dataclass(frozen=True)
class ServiceDesk:
    """The service that Maskwatch hosts; its answers say the verdict."""

    http: httpx.Client

    def send(self, address: str, picture: Picture) -> Answer:
        """See :class:`Desk`."""
        response = _post(self.http, "/v1/parse", "file", address, picture)
        body = response.json()
        if response.status_code != 200:
            return _problem(response)
        return Answer(200, body["verdict"], sum(mask["area"] for mask in body["labels"]))


@dataclass(frozen=True)
class PageDesk:
    """Somebody's page behind the proxy: its answer is its own, the verdict is in the record."""

    http: httpx.Client
    database: Database

    def send(self, address: str, picture: Picture) -> Answer:
        """See :class:`Desk`."""
        response = _post(self.http, "/predict", "image", address, picture)
        if response.status_code != 200:
            return _problem(response)
        labels = np.asarray(Pillow.open(BytesIO(response.content)))
        verdict = self._wait_for_verdict(response.headers["Maskwatch-Request-Id"])
        return Answer(200, verdict, int(np.count_nonzero(labels)))

    def _wait_for_verdict(self, request_id: str) -> str:
        """Checks run beside the traffic: the record may come later than the answer."""
        statement = select(RequestRow.verdict).where(RequestRow.request_id == request_id)
        give_up_at = monotonic() + _RECORD_SECONDS
        while monotonic() < give_up_at:
            with self.database.read() as session:
                verdict = session.scalar(statement)
            if verdict is not None:
                return verdict
            sleep(_POLL_SECONDS)
        return "no record"


@dataclass(frozen=True)
class Visitor:
    """One client behind the reverse proxy that the demo plays."""

    desk: Desk
    address: str

    def send(self, picture: Picture) -> Answer:
        """Upload a picture and read the answer."""
        return self.desk.send(self.address, picture)


def client_name(address: str) -> str:
    """The name of a client in records and decisions."""
    return f"ip:{address}"


def _post(
    http: httpx.Client, path: str, field: str, address: str, picture: Picture
) -> httpx.Response:
    return http.post(
        path,
        files={field: (picture.name, picture.data, picture.media_type)},
        headers={"X-Forwarded-For": address, "Accept": "application/json"},
    )


def _problem(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.json()["type"].rpartition(":")[2])
