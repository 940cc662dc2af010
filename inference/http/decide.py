"""``GET /v1/decide``: may this client send now? For proxies that ask before they pass a request on.

It touches neither disk nor database. Blacklist and buckets are in memory, and no answer is
recorded: all are counted.
"""

from datetime import UTC, datetime
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from inference.http.problems import refusal_problem
from inference.http.sender import identify_sender, read_keys
from inference.refusals import RATE_LIMITED, Refusal
from inference.service import Service
from inference.upload import Arrival
from store.people.api_keys import is_key
from store.requests.request_ids import new_request_id

_ALLOWED = "allowed"


async def decide(request: Request) -> Response:
    """204 if the client may send; it has spent one request of its rate then."""
    service: Service = request.app.state.service
    now = datetime.now(UTC)
    # Another bearer token is meant for the service behind the proxy.
    keys = {key for key in read_keys(request) if is_key(key)}
    sender = identify_sender(request, service, keys)
    arrival = Arrival(new_request_id(now), now, sender.client, "decide", sender.address)
    refusal = _find_refusal(service, arrival, sender.refusal)
    service.metrics.decisions.labels(refusal.code if refusal else _ALLOWED).inc()
    if refusal is not None:
        return refusal_problem(refusal, arrival.request_id)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _find_refusal(service: Service, arrival: Arrival, wrong_key: Refusal | None) -> Refusal | None:
    """In the order of ``POST /v1/parse``: who is blocked neither spends nor learns anything."""
    if blocked := service.admission.blacklist.check(arrival, None):
        return blocked
    missing_seconds = service.admission.buckets.spend(arrival.client, monotonic())
    return RATE_LIMITED.retry_after(missing_seconds) if missing_seconds else wrong_key
