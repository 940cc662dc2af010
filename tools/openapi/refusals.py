"""The answers of a refusal, from the tables that refusals come from."""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus

from inference.gate.refusals import GATE_REFUSALS, RULE_REFUSALS
from inference.http.problems import MEDIA_TYPE
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
from tools.openapi.schemas import ID_HEADER, TEXT, Json

_SECONDS_HEADER: Json = {
    "Retry-After": {"required": True, "schema": {"type": "string", "pattern": r"^\d+$"}}
}
_CHALLENGE_HEADER: Json = {"WWW-Authenticate": {"required": True, "schema": TEXT}}
# Whoever asks for bans has a key, and the right one.
PULL_REFUSALS = (KEY_REQUIRED, UNKNOWN_KEY, WRONG_SCOPE)


def parse_refusals() -> tuple[Refusal, ...]:
    """Every way in which a request to parse can be refused."""
    return (*REFUSALS, *GATE_REFUSALS, *RULE_REFUSALS.values())


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


def describe_refusals(refusals: Iterable[Refusal]) -> Json:
    """Their answers by status."""
    by_status: dict[HTTPStatus, list[Refusal]] = {}
    for refusal in refusals:
        by_status.setdefault(refusal.status, []).append(refusal)
    return {
        str(status.value): _describe_status(status, by_status[status])
        for status in sorted(by_status)
    }


def describe_problem(sentence: str) -> Json:
    """An answer with a problem document."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": sentence,
        "headers": dict(ID_HEADER),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _describe_status(status: HTTPStatus, refusals: Iterable[Refusal]) -> Json:
    codes = ", ".join(f"`{refusal.code}`" for refusal in refusals)
    description = describe_problem(f"{status.phrase}: {codes}.")
    if all(refusal.retry_after_seconds is not None for refusal in refusals):
        description["headers"] |= _SECONDS_HEADER
    if status is HTTPStatus.UNAUTHORIZED:
        description["headers"] |= _CHALLENGE_HEADER
    return description
