"""Collects the bytes of an upload in the event loop; what grows with them is done elsewhere."""

from asyncio import timeout

from starlette.requests import Request

from inference.http.form import SentForm, read_boundary
from inference.refusals import TOO_MANY_BYTES, TOO_SLOW, Refused

# Boundaries, part headers, a client's file name, short fields.
_FORM_OVERHEAD_BYTES = 16_384


async def receive_form(request: Request, max_bytes: int, seconds: float) -> SentForm:
    """The whole body of a form; one over the limit is cut off, never kept.

    Raises:
        Refused: no multipart form, more bytes than allowed, or it took too long.
        ClientDisconnect: the client is gone.
    """
    limit = max_bytes + _FORM_OVERHEAD_BYTES
    _check_declared_length(request.headers.get("content-length", "0"), limit)
    boundary = read_boundary(request.headers.get("content-type", ""))
    try:
        async with timeout(seconds):
            return SentForm(boundary, await _collect(request, limit))
    except TimeoutError:
        raise Refused(TOO_SLOW) from None


async def _collect(request: Request, limit: int) -> list[bytes]:
    chunks, budget = [], limit
    async for chunk in request.stream():
        budget -= len(chunk)
        if budget < 0:
            raise Refused(TOO_MANY_BYTES)
        chunks.append(chunk)
    return chunks


def _check_declared_length(length: str, limit: int) -> None:
    # By its digits first: Python refuses to read a number of thousands of them.
    digits = length.lstrip("0")
    is_longer = len(digits) > len(str(limit))
    if digits.isdecimal() and (is_longer or int(digits) > limit):
        raise Refused(TOO_MANY_BYTES)
