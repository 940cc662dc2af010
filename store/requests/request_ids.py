"""Request ids: UUIDs of version 7, which begin with the time.

Random ids would touch a random page of their index for every record; these touch the last one. The
time is no secret: it is that of the client's own request.
"""

from datetime import datetime
from secrets import token_bytes
from uuid import UUID

from store.requests.request_keys import key_of

_MILLISECOND = 1000


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
