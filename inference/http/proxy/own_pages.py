"""The few addresses of a proxy that are its own; all others are the upstream's."""

from datetime import UTC, datetime
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inference.http.app import metrics, readyz
from inference.http.problems import refusal_problem
from inference.http.sender import identify_sender, read_keys
from inference.service import Service
from inference.upstream.relay.headers import is_forwarding
from store.people.api_keys import is_key
from store.people.key_scopes import KeyScope
from store.requests.request_ids import new_request_id

PREFIX = "/_maskwatch/"


def build_own_pages(service: Service) -> Starlette:
    """Health and metrics."""
    app = Starlette(
        routes=[
            Route(f"{PREFIX}healthz", lambda _: JSONResponse({"status": "ok"}), methods=["GET"]),
            Route(f"{PREFIX}readyz", readyz, methods=["GET"]),
            Route(f"{PREFIX}metrics", _answer_metrics, methods=["GET"]),
        ]
    )
    app.state.service = service
    return app


async def _answer_metrics(request: Request) -> Response:
    """Metrics for this machine, and for whoever has a key: others are clients of the upstream."""
    service: Service = request.app.state.service
    keys = {key for key in read_keys(request) if is_key(key)}
    is_required = not _is_from_here(request)
    sender = identify_sender(request, service, keys, KeyScope.METRICS, is_required=is_required)
    if sender.refusal is not None:
        return refusal_problem(sender.refusal, new_request_id(datetime.now(UTC)))
    return await metrics(request)


def _is_from_here(request: Request) -> bool:
    """Whether a request comes from this machine, and not through a proxy there."""
    if request.client is None or any(is_forwarding(name) for name, _ in request.scope["headers"]):
        return False
    peer, own = request.client.host, (request.scope.get("server") or ("",))[0]
    return peer == own or ip_address(peer).is_loopback
