"""Cheap checks before a body is read, and what becomes of requests that do not pass them."""

from datetime import UTC, datetime
from time import monotonic

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from inference.admission.admission_settings import CrossSite
from inference.admission.cross_site import is_cross_site
from inference.admission.identity import Sender
from inference.http.problems import refusal_problem
from inference.refusals import CROSS_SITE, RATE_LIMITED, Refusal, Refused
from inference.service import Service
from inference.upload import Arrival, Upload
from store.requests.request_ids import new_request_id


def open_arrival(sender: Sender, route: str) -> Arrival:
    """A request that comes in just now, with an id of its own."""
    now = datetime.now(UTC)
    return Arrival(new_request_id(now), now, sender.client, route, sender.address)


def admit(service: Service, arrival: Arrival, upload: Upload | None = None) -> None:
    """Let a sender in, and a picture once it was read.

    Raises:
        Refused: one of them is on the blacklist.
    """
    refusal = service.admission.blacklist.check(arrival, upload)
    if refusal is not None:
        raise Refused(refusal, upload.sha256 if upload else None)


def check_site(service: Service, request: Request) -> None:
    """See that no web page sends a request in the name of its visitor.

    Raises:
        Refused: one does.
    """
    admission, headers = service.settings.admission, request.headers
    hosts = (headers.get("host", ""), headers.get("x-forwarded-host", ""))
    if admission.cross_site is CrossSite.REFUSE and is_cross_site(
        _join(headers, "sec-fetch-site"), _join(headers, "origin"), hosts, admission.allowed_origins
    ):
        raise Refused(CROSS_SITE)


def _join(headers: Headers, name: str) -> str | None:
    """All lines of a header, if there are any: several are another value than each of them."""
    return ", ".join(headers.getlist(name)) or None


def check_rate(service: Service, arrival: Arrival) -> None:
    """Spend one request of a client's rate.

    Raises:
        Refused: nothing is left of it.
    """
    missing_seconds = service.admission.buckets.spend(arrival.client, monotonic())
    if missing_seconds:
        raise Refused(RATE_LIMITED.retry_after(missing_seconds))


def refuse_for(refusal: Refusal | None) -> None:
    """Go on if there is no refusal.

    Raises:
        Refused: there is one.
    """
    if refusal is not None:
        raise Refused(refusal)


async def answer_refusal(
    service: Service, arrival: Arrival, refusal: Refusal, content_sha256: str | None = None
) -> Response:
    """Record a refusal, or count it if the client has just had the same, and answer it.

    Raises:
        NotRecorded: the record could not be kept.
    """
    if service.admission.repeated_refusals.is_repeat(arrival, refusal, monotonic()):
        service.pipeline.turn_away(arrival, refusal)
        service.admission.refusal_counts.count(arrival.client, refusal, arrival.received_at)
        await service.admission.tarpit.hold()
    else:
        await service.record_threads.run(service.pipeline.refuse, arrival, refusal, content_sha256)
    return refusal_problem(refusal, arrival.request_id)
