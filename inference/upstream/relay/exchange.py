"""What became of one request that was passed on."""

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """How an exchange ended."""

    WHOLE = "whole"
    CLIENT_LEFT = "client_left"
    UPSTREAM_BROKE = "upstream_broke"


@dataclass(frozen=True)
class Exchange:
    """What a request and its answer were, for records and figures.

    Attributes:
        status: of the answer; 0 if the client left before it.
        content_type: of the answer, as the upstream wrote it.
        content_encoding: likewise; the bytes are passed on, and tapped, as they came.
        answer_seconds: until the head of the answer; 0 if there is none.
        seconds: until its end.
        sent_bytes: of the request's body that went up.
        received_bytes: of the answer's body that came back.
    """

    status: int
    content_type: str
    content_encoding: str
    answer_seconds: float
    seconds: float
    sent_bytes: int
    received_bytes: int
    ended: Ending
