"""Clients of the demo: each speaks to the service over HTTP from an address of its own."""

from dataclasses import dataclass

import httpx2 as httpx

from maskwatch.demo.pictures import Picture

# Addresses that are reserved for documentation (RFC 5737).
NEIGHBOURS = tuple(f"203.0.113.{n}" for n in range(10, 34))
VANDAL = "198.51.100.7"
ARTIST = "198.51.100.23"
PROBER = "198.51.100.42"


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status, the verdict or the problem's code, labelled pixels."""

    status: int
    outcome: str
    area: int = 0


@dataclass(frozen=True)
class Visitor:
    """One client behind the reverse proxy that the demo plays."""

    http: httpx.Client
    address: str

    def send(self, picture: Picture) -> Answer:
        """Upload a picture and read the answer."""
        response = self.http.post(
            "/v1/parse",
            files={"file": (picture.name, picture.data, picture.media_type)},
            headers={"X-Forwarded-For": self.address, "Accept": "application/json"},
        )
        body = response.json()
        if response.status_code != 200:
            return Answer(response.status_code, body["type"].rpartition(":")[2])
        return Answer(200, body["verdict"], sum(mask["area"] for mask in body["labels"]))

    @property
    def client(self) -> str:
        """The name that records and decisions use."""
        return f"ip:{self.address}"
