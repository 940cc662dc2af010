"""The interface as an OpenAPI 3.1 description, made from the tables that the answers come from.

It is a page of the documentation. The service itself does not hand it out.
"""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from detectors.verdict import Verdict
from inference.gate.refusals import GATE_REFUSALS, RULE_REFUSALS
from inference.gate.screen import DEFAULT_TYPES
from inference.http.accept import Answer
from inference.http.problems import MEDIA_TYPE as PROBLEM
from inference.recording.readiness import Readiness
from inference.refusals import (
    ADDRESS_INSTEAD,
    BLOCKED,
    FORM_TOO_LARGE,
    KEY_REQUIRED,
    NOT_JSON,
    NOT_MULTIPART,
    OBSERVATIONS_FULL,
    OBSERVE_REFUSALS,
    PACKED_BODY,
    RATE_LIMITED,
    REFUSALS,
    TOO_MANY_BYTES,
    TOO_SLOW,
    UNKNOWN_KEY,
    WRONG_SCOPE,
    Refusal,
)
from inference.upstream.observe.report_fields import ReportFields

Json = dict[str, Any]

_ID: Json = {"type": "string", "format": "uuid"}
_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_ID_HEADER: Json = {"X-Request-Id": {"required": True, "schema": _ID}}
_SECONDS_HEADER: Json = {
    "Retry-After": {"required": True, "schema": {"type": "string", "pattern": r"^\d+$"}}
}
_CHALLENGE_HEADER: Json = {"WWW-Authenticate": {"required": True, "schema": _TEXT}}
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
            "schemas": {
                "Parsing": _parsing(),
                "Problem": _problem(),
                "Ban": _ban(),
                **_report(),
            },
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def parse_refusals() -> tuple[Refusal, ...]:
    """Every way in which a request to parse can be refused."""
    return (*REFUSALS, *GATE_REFUSALS, *RULE_REFUSALS.values())


def _parse() -> Json:
    return {
        "operationId": "parse",
        "summary": "Take a picture in, answer its masks.",
        "security": [{}, _BEARER, _KEY],
        "requestBody": {"required": True, "content": _pictures()},
        "responses": {
            "200": _masks(),
            **_refusals(parse_refusals()),
            "406": _answer_problem("Not Acceptable: none of the answers is allowed."),
        },
    }


def _screen() -> Json:
    return {
        "operationId": "screen",
        "summary": "Take a picture through the gate alone; nothing is parsed.",
        "security": [{}, _BEARER, _KEY],
        "requestBody": {"required": True, "content": _pictures()},
        "responses": {
            "204": {"description": "The gate accepts the picture.", "headers": dict(_ID_HEADER)},
            **_refusals(parse_refusals()),
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
        **_ID_HEADER,
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


def decide_refusals() -> tuple[Refusal, ...]:
    """Every way in which a client can be told not to send."""
    return (UNKNOWN_KEY, KEY_REQUIRED, BLOCKED, WRONG_SCOPE, RATE_LIMITED)


def observe_refusals() -> tuple[Refusal, ...]:
    """Every way in which an observation can be turned away."""
    bodies = (NOT_JSON, NOT_MULTIPART, FORM_TOO_LARGE, PACKED_BODY, TOO_MANY_BYTES, TOO_SLOW)
    senders = (UNKNOWN_KEY, KEY_REQUIRED, BLOCKED, WRONG_SCOPE)
    # By setting it is 429.
    slow_down = replace(OBSERVATIONS_FULL, status=HTTPStatus.TOO_MANY_REQUESTS)
    return (*senders, *bodies, ADDRESS_INSTEAD, *OBSERVE_REFUSALS, slow_down)


def _observe() -> Json:
    binary: Json = {"type": "string", "format": "binary"}
    form = {"report": _TEXT, "picture": binary, "answer": binary}
    schema = {"type": "object", "required": ["report"], "properties": form}
    accepted = _object({"request_id": _ID})
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
            **_refusals(observe_refusals()),
        },
    }


def _decide() -> Json:
    return {
        "operationId": "decide",
        "summary": "Say whether this client may send a request now; it counts as one.",
        "security": [{}, _BEARER, _KEY],
        "responses": {
            "204": {"description": "It may."},
            **_refusals(decide_refusals()),
        },
    }


def _bans(name: str, summary: str, schema: Json, parameters: tuple[str, ...]) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "security": [_BEARER, _KEY],
        "parameters": [{"name": each, "in": "query", "schema": _TEXT} for each in parameters],
        "responses": {
            "200": {
                "description": "The bans.",
                "content": {"application/json": {"schema": schema}},
            },
            "400": _answer_problem("Bad Request: a parameter cannot be read."),
            **_refusals((KEY_REQUIRED, UNKNOWN_KEY, WRONG_SCOPE)),
            "503": _answer_problem("Service Unavailable: the database is away."),
        },
    }


def _stream() -> Json:
    bans = {"type": "array", "items": {"$ref": "#/components/schemas/Ban"}}
    return {
        "type": "object",
        "required": ["new", "deleted", "cursor"],
        "properties": {"new": bans, "deleted": bans, "cursor": _TEXT},
    }


def _ban() -> Json:
    texts = ("origin", "type", "scope", "value", "duration", "scenario")
    properties = {**dict.fromkeys(texts, _TEXT), "id": _COUNT, "simulated": {"type": "boolean"}}
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _refusals(refusals: Iterable[Refusal]) -> Json:
    by_status: dict[HTTPStatus, list[Refusal]] = {}
    for refusal in refusals:
        by_status.setdefault(refusal.status, []).append(refusal)
    return {
        str(status.value): _describe_refusals(status, by_status[status])
        for status in sorted(by_status)
    }


def _describe_refusals(status: HTTPStatus, refusals: Iterable[Refusal]) -> Json:
    codes = ", ".join(f"`{refusal.code}`" for refusal in refusals)
    description = _answer_problem(f"{status.phrase}: {codes}.")
    if all(refusal.retry_after_seconds is not None for refusal in refusals):
        description["headers"] |= _SECONDS_HEADER
    if status is HTTPStatus.UNAUTHORIZED:
        description["headers"] |= _CHALLENGE_HEADER
    return description


def _answer_problem(sentence: str) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": sentence,
        "headers": dict(_ID_HEADER),
        "content": {PROBLEM: {"schema": schema}},
    }


def _state(summary: str, states: tuple[str, ...], unavailable: tuple[str, ...] = ()) -> Json:
    responses = {"200": _one_of("The state.", states)}
    if unavailable:
        responses["503"] = _one_of("No upload is taken in.", unavailable)
    return {"summary": summary, "responses": responses}


def _one_of(description: str, states: tuple[str, ...]) -> Json:
    schema = _object({"status": {"enum": list(states)}})
    schema["properties"]["learning"] = _TEXT
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _metrics() -> Json:
    return {
        "summary": "What Prometheus scrapes.",
        "responses": {
            "200": {"description": "Metrics.", "content": {"text/plain": {"schema": _TEXT}}}
        },
    }


def _parsing() -> Json:
    size = {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2}
    box = {"type": "array", "items": _COUNT, "minItems": 4, "maxItems": 4}
    mask = {"size": size, "counts": _TEXT, "area": _COUNT, "box": box}
    parsing = _object(
        {
            "request_id": _ID,
            "verdict": {"enum": [Verdict.PASS.value, Verdict.FLAG.value]},
            "labels": {"type": "array", "items": _object({"label": _TEXT, **mask})},
        }
    )
    persons = {"type": "array", "items": _object({"person": _COUNT, **mask})}
    return parsing | {"properties": parsing["properties"] | {"persons": persons}}


def _report() -> Json:
    """The schema of a report, and those that it is made of."""
    schema = ReportFields.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Report": schema}


def _problem() -> Json:
    return _object(
        {
            "type": {"type": "string", "pattern": "^urn:maskwatch:problem:[a-z0-9_]+$"},
            "title": _TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": _TEXT,
            "request_id": _ID,
        }
    )


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }
