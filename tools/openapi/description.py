"""The interface as an OpenAPI 3.1 description, made from the tables that the answers come from."""

from detectors.verdict import Verdict
from inference.gate.screen import DEFAULT_TYPES
from inference.http.accept import Answer
from inference.recording.readiness import Readiness
from tools.openapi.refusals import (
    PULL_REFUSALS,
    decide_refusals,
    describe_problem,
    describe_refusals,
    observe_refusals,
    parse_refusals,
)
from tools.openapi.schemas import ID, ID_HEADER, TEXT, Json, describe_object, describe_schemas

_KEY: Json = {"key": []}
_BEARER: Json = {"bearer": []}


def describe() -> Json:
    """The whole interface."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Maskwatch",
            "version": "1",
            "description": "A human-parsing service behind a guard.",
        },
        "paths": {
            "/v1/parse": {"post": _parse()},
            "/v1/observe": {"post": _observe()},
            "/v1/decide": {"get": _decide()},
            "/v1/decisions": {
                "get": _bans(
                    "decisions",
                    "The bans that hold, as CrowdSec's local API has them; null if there are none.",
                    {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Ban"}},
                    ("ip", "range", "value", "type", "scopes"),
                )
            },
            "/v1/decisions/stream": {
                "get": _bans(
                    "stream_decisions",
                    "Bans that came and went since this key last asked; with startup, all.",
                    _stream(),
                    ("startup", "since", "scopes"),
                )
            },
            "/v1/screen": {"post": _screen()},
            "/healthz": {"get": _state("Whether the process lives.", ("ok",))},
            "/readyz": {
                "get": _state(
                    "Whether the next upload would be recorded.",
                    (Readiness.READY, Readiness.DEGRADED),
                    unavailable=(Readiness.UNAVAILABLE,),
                ),
            },
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": describe_schemas(),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _parse() -> Json:
    return {
        "operationId": "parse",
        "summary": "Take a picture in, answer its masks.",
        "security": [{}, _BEARER, _KEY],
        "requestBody": {"required": True, "content": _pictures()},
        "responses": {
            "200": _masks(),
            **describe_refusals(parse_refusals()),
            "406": describe_problem("Not Acceptable: none of the answers is allowed."),
        },
    }


def _screen() -> Json:
    return {
        "operationId": "screen",
        "summary": "Take a picture through the gate alone; nothing is parsed.",
        "security": [{}, _BEARER, _KEY],
        "requestBody": {"required": True, "content": _pictures()},
        "responses": {
            "204": {"description": "The gate accepts the picture.", "headers": dict(ID_HEADER)},
            **describe_refusals(parse_refusals()),
        },
    }


def _pictures() -> Json:
    """The ways to send a picture; each of the fields' names will do."""
    binary = {"type": "string", "format": "binary", "minLength": 1}
    text = {"type": "string", "contentEncoding": "base64", "minLength": 1}
    types = {media_type.value: {"schema": binary} for media_type in DEFAULT_TYPES}
    return {
        "multipart/form-data": {"schema": _hold("file", binary)},
        **types,
        "application/json": {"schema": _hold("image", text)},
    }


def _hold(field: str, picture: Json) -> Json:
    return {"type": "object", "required": [field], "properties": {field: picture}}


def _masks() -> Json:
    headers = {
        **ID_HEADER,
        "X-Maskwatch-Verdict": {
            "required": True,
            "schema": {"enum": [Verdict.PASS.value, Verdict.FLAG.value]},
        },
    }
    picture = {"schema": {"type": "string", "format": "binary"}}
    content = {
        Answer.MASKS.value: {"schema": {"$ref": "#/components/schemas/Parsing"}},
        Answer.COMPOSITE.value: picture,
        Answer.LABELS.value: picture,
    }
    return {"description": "The parse of the picture.", "headers": headers, "content": content}


def _observe() -> Json:
    binary: Json = {"type": "string", "format": "binary"}
    form = {"report": TEXT, "picture": binary, "answer": binary}
    schema = {"type": "object", "required": ["report"], "properties": form}
    accepted = describe_object({"request_id": ID})
    return {
        "operationId": "observe",
        "summary": "Take in what another service answered; docs/observe.md explains the fields.",
        "security": [_BEARER, _KEY, {"basic": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Report"}},
                "multipart/form-data": {"schema": schema},
            },
        },
        "responses": {
            "200": {"description": "An event of KServe's payload logger is in the queue."},
            "202": {
                "description": "The report is in the queue.",
                "content": {"application/json": {"schema": accepted}},
            },
            **describe_refusals(observe_refusals()),
        },
    }


def _decide() -> Json:
    return {
        "operationId": "decide",
        "summary": "Say whether this client may send a request now; it counts as one.",
        "security": [{}, _BEARER, _KEY],
        "responses": {
            "204": {"description": "It may."},
            **describe_refusals(decide_refusals()),
        },
    }


def _bans(name: str, summary: str, schema: Json, parameters: tuple[str, ...]) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "security": [_BEARER, _KEY],
        "parameters": [{"name": each, "in": "query", "schema": TEXT} for each in parameters],
        "responses": {
            "200": {
                "description": "The bans.",
                "content": {"application/json": {"schema": schema}},
            },
            "400": describe_problem("Bad Request: a parameter cannot be read."),
            **describe_refusals(PULL_REFUSALS),
            "503": describe_problem("Service Unavailable: the database is away."),
        },
    }


def _stream() -> Json:
    bans = {"type": "array", "items": {"$ref": "#/components/schemas/Ban"}}
    return {
        "type": "object",
        "required": ["new", "deleted", "cursor"],
        "properties": {"new": bans, "deleted": bans, "cursor": TEXT},
    }


def _state(summary: str, states: tuple[str, ...], unavailable: tuple[str, ...] = ()) -> Json:
    responses = {"200": _one_of("The state.", states)}
    if unavailable:
        responses["503"] = _one_of("No upload is taken in.", unavailable)
    return {"summary": summary, "responses": responses}


def _one_of(description: str, states: tuple[str, ...]) -> Json:
    schema = describe_object({"status": {"enum": list(states)}})
    schema["properties"]["learning"] = TEXT
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _metrics() -> Json:
    return {
        "summary": "What Prometheus scrapes.",
        "responses": {
            "200": {"description": "Metrics.", "content": {"text/plain": {"schema": TEXT}}}
        },
    }
