"""Ties the pictures of one request to their records."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from inference.proxying import NOT_MEASURED, Proxy
from inference.results.waiting import Waiting
from inference.upload import Arrival
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.relay.exchange import Exchange
from store.requests.request_ids import new_request_id

ID_HEADER = b"maskwatch-request-id"


def draw_arrivals(arrival: Arrival, count: int) -> list[Arrival]:
    """One for each picture of a request: each has a record, and each record an id."""
    arrivals = [arrival]
    while len(arrivals) < count:
        arrivals.append(replace(arrival, request_id=new_request_id(datetime.now(UTC))))
    return arrivals


async def judge_beside(proxy: Proxy, waiting: Waiting, exchange: Exchange, tap: AnswerTap) -> None:
    """Have an answer checked beside the traffic, or record at once that it will not be.

    Raises:
        NotRecorded: the record could not be kept.
    """
    if not tap.has_room or not proxy.judge_beside(waiting, exchange, tap):
        await leave_unmeasured(proxy, [waiting], exchange.status)


async def leave_unmeasured(proxy: Proxy, waiting: list[Waiting], status: int) -> None:
    """Record pictures whose answer will not be checked, and hold none of them any more.

    Raises:
        NotRecorded: a record could not be kept.
    """
    while waiting:
        proxy.service.metrics.replies.labels(NOT_MEASURED).inc()
        accepted = waiting.pop(0).accepted
        record = proxy.record_unmeasured
        await proxy.service.record_threads.run(record, accepted, status, NOT_MEASURED)


def mark(waiting: Sequence[Waiting]) -> list[tuple[bytes, bytes]]:
    """The header that tells a client which records its pictures have."""
    return mark_ids(*(each.accepted.arrival.request_id for each in waiting))


def mark_ids(*request_ids: str) -> list[tuple[bytes, bytes]]:
    """The same with the ids of the records; no header without one."""
    return [(ID_HEADER, ", ".join(request_ids).encode("ascii"))] if request_ids else []
