"""The routes."""

from collections.abc import Callable
from functools import partial
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from inference.http.accept import Answer, choose
from inference.http.admit import (
    admit,
    answer_refusal,
    check_rate,
    check_site,
    open_arrival,
    refuse_for,
)
from inference.http.answers import respond
from inference.http.body import BodyRules, SentBody, receive_body
from inference.http.decide import decide
from inference.http.decisions import Pulls, list_decisions, stream_decisions
from inference.http.framing import OneFraming
from inference.http.observe import observe
from inference.http.problems import problem, refusal_problem
from inference.http.sender import identify_sender, is_key_holder, read_keys
from inference.recording.readiness import Readiness
from inference.refusals import FAULT, NOT_RECORDED, Refusal, Refused
from inference.results.outcomes import Outcome
from inference.service import Service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload
from store.spool.spool import NotRecorded

_log = structlog.get_logger(__name__)

# What is done with an upload once it has a turn; it runs in a thread.
Work = Callable[[Service, Arrival, Upload], Response]


def build_app(service: Service) -> FastAPI:
    """The web application of one service; it has no documentation pages to give away."""
    app = FastAPI(
        title="Maskwatch",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A redirect would repeat whatever host the client named.
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.pulls = Pulls()
    app.add_api_route("/v1/parse", parse, methods=["POST"], response_model=None)
    app.add_api_route("/v1/observe", observe, methods=["POST"], response_model=None)
    app.add_api_route("/v1/decide", decide, methods=["GET"], response_model=None)
    # Envoy appends the path that it asks about, and keeps the method.
    app.add_route("/v1/decide/{path:path}", decide, methods=_ANY_METHOD)
    for path, read in _READS_OF_BANS.items():
        app.add_api_route(path, read, methods=["GET"], response_model=None)
        # Bouncers see by HEAD whether their key is good.
        app.add_route(path, read, methods=["HEAD"])
    app.add_api_route("/v1/screen", screen, methods=["POST"], response_model=None)
    app.add_api_route("/healthz", healthz, methods=["GET"])
    app.add_api_route("/readyz", readyz, methods=["GET"], response_model=None)
    app.add_api_route("/metrics", metrics, methods=["GET"], response_model=None)
    app.add_middleware(OneFraming)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_fault)
    return app


async def parse(request: Request) -> Response:
    """Take a picture in, answer its masks."""
    answer = choose(request.headers.get("accept"))
    if answer is None:
        raise HTTPException(406)
    return await _serve_upload(request, "api", partial(_parse_upload, answer=answer))


async def screen(request: Request) -> Response:
    """Take a picture through the gate alone: 204, or why it is refused."""
    return await _serve_upload(request, "screen", _screen_upload)


async def healthz() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok"}


async def readyz(request: Request) -> Response:
    """Whether the next upload would be recorded; 503 if it would be refused instead.

    Who presents a key is also told how far what parses is learnt.
    """
    service: Service = request.app.state.service
    answer: dict[str, str] = {"status": await service.status_threads.run(service.record_room.look)}
    code = 503 if answer["status"] == Readiness.UNAVAILABLE else 200
    if is_key_holder(request, service):
        progress = await service.status_threads.run(service.describe_learning)
        answer |= {"learning": progress} if progress else {}
    return JSONResponse(answer, code)


async def metrics(request: Request) -> Response:
    """What Prometheus scrapes."""
    service: Service = request.app.state.service
    return Response(service.metrics.exposition(), media_type="text/plain; version=0.0.4")


async def _serve_upload(request: Request, route: str, work: Work) -> Response:
    service: Service = request.app.state.service
    sender = identify_sender(request, service, read_keys(request))
    arrival = open_arrival(sender, route)
    try:
        return await _answer_or_record_fault(service, request, arrival, work, sender.refusal)
    except NotRecorded as error:
        _log.error("record refused", why=str(error), request_id=arrival.request_id)
        return refusal_problem(NOT_RECORDED, arrival.request_id)
    except ClientDisconnect:
        service.metrics.broken_off.inc()
        return Response(status_code=400)  # nobody is there to read it


async def _answer_or_record_fault(
    service: Service,
    request: Request,
    arrival: Arrival,
    work: Work,
    wrong_key: Refusal | None,
) -> Response:
    """The answer; a fault before or beside the pipeline gets a record like any other refusal."""
    try:
        return await _answer_upload(service, request, arrival, work, wrong_key)
    except (NotRecorded, ClientDisconnect):
        raise
    except Exception:  # noqa: BLE001
        service.metrics.faults.labels("reading").inc()
        _log.exception("upload not read", request_id=arrival.request_id)
        await service.record_threads.run(service.pipeline.refuse, arrival, FAULT)
        return refusal_problem(FAULT, arrival.request_id)


async def _answer_upload(
    service: Service,
    request: Request,
    arrival: Arrival,
    work: Work,
    wrong_key: Refusal | None,
) -> Response:
    """Cheap checks first, a place in the house before the body is read, a turn to work after it."""
    settings = service.settings
    try:
        # First the block: who is blocked does not learn here whether a key is one.
        admit(service, arrival)
        # Before the rate: a page shall not use up what its visitor may send.
        check_site(service, request)
        check_rate(service, arrival)
        refuse_for(wrong_key)
        async with service.slots.enter(arrival.client):
            with service.body_memory.reserve() as share:
                body = await receive_body(request, _body_rules(settings), share.take)
                upload = await service.form_threads.run(_read_upload, service, arrival, body)
                return await service.slots.work(arrival.client, work, service, arrival, upload)
    except Refused as error:
        return await answer_refusal(service, arrival, error.refusal, error.content_sha256)


def _body_rules(settings: ServiceSettings) -> BodyRules:
    return BodyRules(
        settings.gate.picture_fields,
        settings.gate.max_upload_bytes,
        settings.connections.body_seconds,
    )


def _read_upload(service: Service, arrival: Arrival, body: SentBody) -> Upload:
    upload = body.read_upload()
    admit(service, arrival, upload)
    return upload


def _parse_upload(service: Service, arrival: Arrival, upload: Upload, answer: Answer) -> Response:
    def make_answer(outcome: Outcome) -> Response:
        with service.metrics.time_step("answer"):
            return respond(outcome, answer)

    return service.pipeline.answer(arrival, upload, make_answer)


def _screen_upload(service: Service, arrival: Arrival, upload: Upload) -> Response:
    accepted = service.pipeline.screen(arrival, upload)
    if isinstance(accepted, Refusal):
        return refusal_problem(accepted, arrival.request_id)
    return Response(status_code=204, headers={"X-Request-Id": arrival.request_id})


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = getattr(error, "headers", None)
    sentence = _SENTENCES.get(status, "The request cannot be served.")
    return problem(f"http_{status}", status, sentence, str(uuid4()), headers)


async def _on_fault(request: Request, error: Exception) -> Response:
    request_id = str(uuid4())
    _log.error("unhandled", request_id=request_id, path=request.url.path, exc_info=error)
    return refusal_problem(FAULT, request_id)


_READS_OF_BANS = {
    "/v1/decisions": list_decisions,
    "/v1/decisions/stream": stream_decisions,
}
_ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_SENTENCES = {
    404: "There is nothing here: pictures go to POST /v1/parse.",
    405: "This address does not take that method: pictures go to POST /v1/parse.",
    406: f"Ask for one of {', '.join(Answer)}.",
}
