"""Errors as RFC 9457 problem documents, with a request id and nothing of the inside."""

from http import HTTPStatus

from starlette.responses import JSONResponse

from inference.refusals import Refusal

MEDIA_TYPE = "application/problem+json"


def problem(
    code: str,
    status: int,
    sentence: str,
    request_id: str,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """A problem document."""
    body = {
        "type": f"urn:maskwatch:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "request_id": request_id,
    }
    all_headers = {"X-Request-Id": request_id, **(headers or {})}
    return JSONResponse(body, status, all_headers, MEDIA_TYPE)


def refusal_problem(refusal: Refusal, request_id: str) -> JSONResponse:
    """The problem document of a refusal."""
    headers = {}
    if refusal.retry_after_seconds is not None:
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110 asks for it with every 401
    return problem(refusal.code, refusal.status, refusal.sentence, request_id, headers)
