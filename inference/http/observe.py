"""``POST /v1/observe``: what other services answered. Taken in at once, measured later."""

from base64 import b64decode
from binascii import Error
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from inference.admission.identity import Sender
from inference.bodies.json_document import MEDIA_TYPE as JSON
from inference.http.body import check_packing, collect_body
from inference.http.form import MEDIA_TYPE as FORM
from inference.http.parameters import read_parameters
from inference.http.problems import refusal_problem
from inference.http.sender import identify_sender, read_keys
from inference.observing import ROUTE
from inference.refusals import (
    BAD_OBSERVATION,
    OBSERVATIONS_FULL,
    OVERLOADED,
    Refusal,
    Refused,
)
from inference.service import Service
from inference.upload import Arrival
from inference.upstream.observe.events import EventHead, is_event
from inference.upstream.observe.observe_settings import WhenFull
from inference.upstream.observe.report import Report, read_form_report, read_json_report
from store.people.key_scopes import KeyScope
from store.requests.request_ids import new_request_id

Collect = Callable[[], Awaitable[list[bytes]]]
# What a report takes besides its body.
_OVERHEAD_BYTES = 4_000
_NO_TYPE = BAD_OBSERVATION.saying(
    "An observation is JSON, a form or an event: set the header Content-Type to application/json "
    "or multipart/form-data, or send the headers of CloudEvents."
)


async def observe(request: Request) -> Response:
    """Take a report or an event in; the answer says that it is in the queue, and no more."""
    service: Service = request.app.state.service
    now = datetime.now(UTC)
    sender = _identify_observer(request, service)
    arrival = Arrival(new_request_id(now), now, sender.client, ROUTE, sender.address)
    try:
        _check_sender(request, service, sender, arrival)
        await _take_in(request, service, arrival)
    except Refused as error:
        return _answer_refusal(request, service, arrival, error.refusal)
    except ClientDisconnect:
        service.metrics.observations.labels("broken_off").inc()
        return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody is there to read it
    return _accept(request, arrival)


def _identify_observer(request: Request, service: Service) -> Sender:
    is_required = service.settings.observe.require_observe_key
    keys = {*read_keys(request), *_read_passwords(request)}
    return identify_sender(request, service, keys, KeyScope.OBSERVE, is_required=is_required)


def _read_passwords(request: Request) -> Iterator[str]:
    """Keys as passwords: a sink of KServe is an address, and nothing else can stand there."""
    for value in request.headers.getlist("authorization"):
        scheme, _, text = value.strip().partition(" ")
        if scheme.lower() == "basic":
            yield _decode_password(text)


def _decode_password(text: str) -> str:
    """The password of RFC 7617; one that cannot be read is nobody's key."""
    try:
        return b64decode(text.strip(), validate=True).decode().partition(":")[2]
    except (Error, ValueError):
        return ""


def _check_sender(request: Request, service: Service, sender: Sender, arrival: Arrival) -> None:
    for refusal in (service.admission.blacklist.check(arrival, None), sender.refusal):
        if refusal is not None:
            raise Refused(refusal)
    check_packing(request)
    if not service.observer.has_room():
        raise Refused(OBSERVATIONS_FULL)


async def _take_in(request: Request, service: Service, arrival: Arrival) -> None:
    """Read the body, and put what it holds into the queue; parsing it is done in a thread."""
    take_in = _accept_event if is_event(request.headers) else _accept_report
    settings = service.settings
    with service.observed_memory.reserve() as share:
        await take_in(
            request,
            service,
            arrival,
            partial(
                collect_body,
                request,
                settings.observe.observe_max_bytes,
                settings.connections.body_seconds,
                share.take,
            ),
        )


async def _accept_event(
    request: Request, service: Service, arrival: Arrival, collect: Collect
) -> None:
    head = EventHead.read(request.headers)
    client = service.admission.senders.name_forwarded(head.forwarded_for, arrival.client)
    body = await service.form_threads.run(_join, await collect())
    service.observer.accept_half(head.build_half(_name_client(arrival, client), body))


async def _accept_report(
    request: Request, service: Service, arrival: Arrival, collect: Collect
) -> None:
    read = _choose_reader(request)
    body = await service.form_threads.run(_join, await collect())
    report = await service.form_threads.run(read, body, arrival.client, arrival.received_at)
    client = report.client or service.admission.senders.name_forwarded((), arrival.client)
    sent = replace(_name_client(arrival, client), received_at=report.time)
    measure = partial(service.observations.measure_report, sent, report)
    if not service.observer.accept(len(body) + _OVERHEAD_BYTES, measure):
        raise Refused(OBSERVATIONS_FULL)


def _join(chunks: list[bytes]) -> bytes:
    """A body in one piece; its pieces are given back."""
    body = b"".join(chunks)
    chunks.clear()
    return body


def _choose_reader(request: Request) -> Callable[[bytes, str, datetime], Report]:
    media_type, parameters = read_parameters(request.headers.get("content-type", "")[:1_000])
    if media_type == JSON:
        return read_json_report
    if media_type == FORM:
        return partial(read_form_report, parameters.get("boundary", ""))
    raise Refused(_NO_TYPE)


def _name_client(arrival: Arrival, client: str) -> Arrival:
    """The observed request in place of the one that tells of it."""
    address = client if client.startswith("ip:") else None
    return replace(arrival, client=client, address=address)


def _answer_refusal(
    request: Request, service: Service, arrival: Arrival, refusal: Refusal
) -> Response:
    when_full = service.settings.observe.observe_when_full
    if refusal.code in {OBSERVATIONS_FULL.code, OVERLOADED.code}:
        if when_full is WhenFull.DROP:
            service.metrics.observations.labels("dropped").inc()
            return _accept(request, arrival)
        refusal = replace(OBSERVATIONS_FULL, status=HTTPStatus(int(when_full)))
    service.metrics.observations.labels(refusal.code).inc()
    return refusal_problem(refusal, arrival.request_id)


def _accept(request: Request, arrival: Arrival) -> Response:
    """KServe's logger takes every status but 200 for an error."""
    if is_event(request.headers):
        return Response()
    return JSONResponse({"request_id": arrival.request_id}, HTTPStatus.ACCEPTED)
