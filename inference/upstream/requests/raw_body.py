"""Bodies that are the picture itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.refusals import TOO_MANY_BYTES, UNKNOWN_BODY, Refused
from inference.upload import Upload
from inference.upstream.requests.picture_text import name_type
from inference.upstream.requests.sent_request import GatedBody, RequestLimits, SentRequest

# What clients declare when they do not know; the last is curl's.
_UNDECLARED = {"", "application/octet-stream", "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class RawBody:
    """A body that is the picture."""

    def write(self, pictures: Sequence[bytes]) -> GatedBody:
        """The picture, declared as what it is."""
        (picture,) = pictures
        return GatedBody(name_type(picture), picture)


def read_raw(media_type: str, body: bytes, limits: RequestLimits) -> SentRequest:
    """The whole body; what is no picture is the gate's to find out.

    Raises:
        Refused: it is declared as something else, or too large.
    """
    if media_type not in _UNDECLARED and not media_type.startswith("image/"):
        raise Refused(UNKNOWN_BODY)
    if len(body) > limits.max_picture_bytes:
        raise Refused(TOO_MANY_BYTES)
    return SentRequest((Upload.hash_now(body, media_type or None),), RawBody())
