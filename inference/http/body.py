"""Collects the bytes of an upload in the event loop; what grows with them is done elsewhere."""

from asyncio import timeout
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from inference.bodies.json_document import MEDIA_TYPE as JSON
from inference.http.form import MEDIA_TYPE as FORM
from inference.http.form import SentForm, check_boundary
from inference.http.json_body import SentJson
from inference.http.parameters import read_parameters
from inference.refusals import (
    NOT_MULTIPART,
    PACKED_BODY,
    TOO_MANY_BYTES,
    TOO_SLOW,
    UNKNOWN_BODY,
    Refused,
)
from inference.upload import Upload

# Boundaries, part headers, a client's file name, short fields.
_OVERHEAD_BYTES = 16_384
# What devices and scripts say of a picture whose type they do not know.
_ANY_BYTES = {"application/octet-stream", "binary/octet-stream"}
# Longer headers than this hold something else.
_MAX_TYPE_CHARACTERS = 1_000


@dataclass(frozen=True)
class BodyRules:
    """What a body may be.

    Attributes:
        fields: names of the field that holds the picture, in a form or in JSON.
        max_bytes: of the picture.
        seconds: that a whole body may take.
    """

    fields: Sequence[str]
    max_bytes: int
    seconds: float


class SentBody(Protocol):
    """A body as it came: nothing in it was looked at yet."""

    def read_upload(self) -> Upload:
        """The picture in it, hashed; the bytes of the body are given back.

        Raises:
            Refused: the body holds no picture, or much besides it.
        """
        ...


@dataclass(frozen=True)
class SentPicture:
    """A body that is the picture itself.

    Attributes:
        chunks: the body, in pieces as they came; taken out when it is read.
    """

    media_type: str
    chunks: list[bytes]

    def read_upload(self) -> Upload:
        """The whole body; what is no picture is the gate's to find out."""
        body = b"".join(self.chunks)
        self.chunks.clear()
        return Upload.hash_now(body, self.media_type)


async def receive_body(request: Request, rules: BodyRules, take: Callable[[int], None]) -> SentBody:
    """The whole body of a request; one over the limit is cut off, never kept.

    Args:
        take: is told how many bytes come, and may refuse them.

    Raises:
        Refused: it is neither a form, nor a picture, nor JSON; it has more bytes than allowed, or
            it took too long, or memory for bodies is used up.
        ClientDisconnect: the client is gone.
    """
    check_packing(request)
    build, limit = choose_reader(request.headers.get("content-type", ""), rules)
    return build(await collect_body(request, limit, rules.seconds, take))


def check_packing(request: Request) -> None:
    """See that a body is not compressed.

    Raises:
        Refused: it is.
    """
    packings = {value.strip().lower() for value in request.headers.getlist("content-encoding")}
    if packings - {"", "identity"}:
        raise Refused(PACKED_BODY)


async def collect_body(
    request: Request, max_bytes: int, seconds: float, take: Callable[[int], None]
) -> list[bytes]:
    """The body of a request in pieces; see :func:`receive_body`.

    Raises:
        Refused: it is too large, or takes too long.
    """
    _check_declared_length(request.headers.get("content-length", "0"), max_bytes)
    try:
        async with timeout(seconds):
            return await _collect(request, max_bytes, take)
    except TimeoutError:
        raise Refused(TOO_SLOW) from None


def choose_reader(
    content_type: str, rules: BodyRules
) -> tuple[Callable[[list[bytes]], SentBody], int]:
    """What makes sense of a body of this type, and how many bytes it may have.

    Raises:
        Refused: nothing does.
    """
    if len(content_type) > _MAX_TYPE_CHARACTERS:
        raise Refused(NOT_MULTIPART)
    media_type, parameters = read_parameters(content_type)
    limit = rules.max_bytes + _OVERHEAD_BYTES
    if media_type == FORM:
        boundary = check_boundary(parameters.get("boundary", ""))
        return lambda chunks: SentForm(boundary, chunks, rules.fields), limit
    if media_type in {JSON, "text/json"} or media_type.endswith("+json"):
        # Four characters stand for three bytes, and some clients break lines or escape slashes.
        return lambda chunks: SentJson(chunks, rules.fields, rules.max_bytes), limit * 3 // 2
    if media_type.startswith("image/") or media_type in _ANY_BYTES:
        return lambda chunks: SentPicture(media_type, chunks), limit
    raise Refused(UNKNOWN_BODY)


async def _collect(request: Request, limit: int, take: Callable[[int], None]) -> list[bytes]:
    chunks, room = [], limit
    async for chunk in request.stream():
        room -= len(chunk)
        if room < 0:
            raise Refused(TOO_MANY_BYTES)
        take(len(chunk))
        chunks.append(chunk)
    return chunks


def _check_declared_length(length: str, limit: int) -> None:
    # By its digits first: Python refuses to read a number of thousands of them.
    digits = length.lstrip("0")
    is_longer = len(digits) > len(str(limit))
    if digits.isdecimal() and (is_longer or int(digits) > limit):
        raise Refused(TOO_MANY_BYTES)
