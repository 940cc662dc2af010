"""Reads the uploaded file while counting: a body over the limit is cut off, never buffered."""

from asyncio import timeout

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from inference.refusals import NOT_MULTIPART, TOO_MANY_BYTES, TOO_SLOW, WRONG_FIELD, Refused
from inference.upload import Upload

FIELD = "file"
# Boundaries, part headers and a client's file name.
_FORM_OVERHEAD_BYTES = 16_384


async def read_upload(request: Request, max_bytes: int, seconds: float) -> Upload:
    """The file of the form field ``file``.

    Raises:
        Refused: no multipart form, no such field, more bytes than allowed, or it took too long.
        ClientDisconnect: the client is gone.
    """
    _check_declared_length(request, max_bytes + _FORM_OVERHEAD_BYTES)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refused(NOT_MULTIPART)
    counted = Request(request.scope, _Counted(request, max_bytes + _FORM_OVERHEAD_BYTES))
    try:
        async with timeout(seconds):
            return await _file(counted)
    except TimeoutError:
        raise Refused(TOO_SLOW) from None
    except HTTPException:
        raise Refused(NOT_MULTIPART) from None


async def _file(request: Request) -> Upload:
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise Refused(WRONG_FIELD)
        return Upload(await file.read(), file.content_type, file.filename)


def _check_declared_length(request: Request, limit: int) -> None:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise Refused(TOO_MANY_BYTES)


class _Counted:
    """A body stream that stops when it grows over its limit."""

    def __init__(self, request: Request, limit: int) -> None:
        self._receive = request.receive
        self._left = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise Refused(TOO_MANY_BYTES)
        return message
