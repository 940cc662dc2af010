"""Request ids: UUIDs of version 7, which begin with the time.

Random ids would touch a random page of their index for every record; these touch the last one. The
time is no secret: it is that of the client's own request.
"""

from datetime import datetime
from secrets import token_bytes
from uuid import UUID

from store.requests.request_keys import key_of, time_of

_MILLISECOND = 1000
_TIME_ORDERED = 7
_AROUND = " \t\r\n\"'`“”‘’«»<>,;."


def new_request_id(now: datetime, random: bytes | None = None) -> str:
    """A new id, RFC 9562 section 5.7.

    Args:
        random: ten bytes; from the operating system unless given.
    """
    milliseconds = key_of(now) // _MILLISECOND
    data = bytearray(milliseconds.to_bytes(6, "big") + (random or token_bytes(10)))
    data[6] = data[6] & 0x0F | 0x70
    data[8] = data[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(data)))


def read_request_id(text: str) -> UUID | None:
    """The id in what somebody copied: in capitals, quotes or brackets, with blanks or no hyphens.

    >>> str(read_request_id(' "01890A5D-AC96-774B-BCCE-B302099A8057", '))
    '01890a5d-ac96-774b-bcce-b302099a8057'
    >>> read_request_id("ip:203.0.113.7") is None
    True
    """
    bare = "".join(text.strip(_AROUND).split())
    try:
        return UUID(bare) if bare.isascii() else None
    except ValueError:
        return None


def time_in(request_id: UUID) -> datetime | None:
    """When the request of an id arrived, to the millisecond; ``None`` if the id does not say."""
    if request_id.version != _TIME_ORDERED:
        return None
    milliseconds = int.from_bytes(request_id.bytes[:6], "big")
    try:
        return time_of(milliseconds * _MILLISECOND)
    except OverflowError:
        return None
