"""Ties the pictures of one request to their records."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from inference.outcomes import Accepted
from inference.proxying import Waiting
from inference.upload import Arrival
from store.requests.request_ids import new_request_id

ID_HEADER = b"maskwatch-request-id"


def give_ids(arrival: Arrival, accepted: Sequence[Accepted]) -> list[Accepted]:
    """The pictures as those of one request: each has a record, and each record an id."""
    arrivals = [arrival]
    while len(arrivals) < len(accepted):
        arrivals.append(replace(arrival, request_id=new_request_id(datetime.now(UTC))))
    return [replace(each, arrival=own) for each, own in zip(accepted, arrivals, strict=False)]


def mark(waiting: Sequence[Waiting]) -> list[tuple[bytes, bytes]]:
    """The header that tells a client which records its pictures have."""
    ids = (each.accepted.arrival.request_id for each in waiting)
    return [(ID_HEADER, ", ".join(ids).encode("ascii"))] if waiting else []
