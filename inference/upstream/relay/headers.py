"""Which headers go through: all but those of one connection, and those that claim to be ours."""

import re
from collections.abc import Iterable, Set

Headers = list[tuple[bytes, bytes]]

# RFC 9110, section 7.6.1, and what browsers and old libraries use in the same way. `Expect` ends
# here as well: the client was told to go on, or answered, before the upstream sees anything.
_OF_ONE_CONNECTION = frozenset(
    (
        b"connection",
        b"expect",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
# `Connection: X-Forwarded-For` must not take away what a proxy in front wrote, nor change what a
# body is after the gate has read it.
_FOR_ALL = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"cookie",
        b"forwarded",
        b"host",
        b"via",
        b"x-real-ip",
    )
)
_FORWARDED_PREFIX = b"x-forwarded-"
# They speak of the body as the client sent it, and not of the one that is sent instead.
OF_SENT_BODY = frozenset(
    (
        b"content-digest",
        b"content-encoding",
        b"content-length",
        b"content-md5",
        b"content-type",
        b"digest",
        b"repr-digest",
    )
)

# They ask for a part of an answer, or for none: what is checked has to be the whole of it.
OF_PARTS = frozenset(
    (
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"range",
    )
)
_ACCEPT_ENCODING = b"accept-encoding"


def ask_readable(headers: Headers) -> Headers:
    """Headers that ask for a whole answer, packed in no way that is not read here.

    >>> ask_readable([(b"accept-encoding", b"br, gzip;q=0.5"), (b"range", b"bytes=0-1")])
    [(b'accept-encoding', b'gzip')]
    """
    kept = leave_out(headers, OF_PARTS)
    accepted = [value for name, value in kept if name.lower() == _ACCEPT_ENCODING]
    if not accepted:
        return kept
    own = b"gzip" if any(_takes_gzip(value) for value in accepted) else b"identity"
    return [*leave_out(kept, {_ACCEPT_ENCODING}), (_ACCEPT_ENCODING, own)]


def _takes_gzip(accepted: bytes) -> bool:
    """Whether a value of ``Accept-Encoding`` allows gzip (RFC 9110, section 12.5.3)."""
    words = ("".join(part.split()).partition(";") for part in accepted.decode("latin-1").split(","))
    weights = [weight for name, _, weight in words if name.lower() == "gzip"]
    return any(re.fullmatch(r"q=0(?:\.0*)?", weight) is None for weight in weights)


def keep_end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that are meant for the other end, in their order.

    >>> keep_end_to_end([(b"connection", b"x-mine"), (b"x-mine", b"1"), (b"accept", b"*/*")])
    [(b'accept', b'*/*')]
    """
    kept, left_out = [], set[bytes]()
    for pair in headers:
        name = pair[0].lower()
        if name not in _OF_ONE_CONNECTION:
            kept.append(pair)
        elif name == b"connection":
            left_out |= _read_names(pair[1])
        elif name == b"transfer-encoding":
            # The body ends where its chunks end: a length beside them is for whoever smuggles.
            left_out.add(b"content-length")
    return leave_out(kept, left_out) if left_out else kept


def leave_out(headers: Iterable[tuple[bytes, bytes]], names: Set[bytes]) -> Headers:
    """All headers but these; the names are given in small letters."""
    return [(name, value) for name, value in headers if name.lower() not in names]


def is_forwarding(name: bytes) -> bool:
    """Whether a header says whom a proxy stands in front of."""
    return name in (b"forwarded", b"x-real-ip") or name.startswith(_FORWARDED_PREFIX)


def is_disguised(name: bytes) -> bool:
    """Whether a WSGI or CGI application could take a header for one that is written here.

    >>> is_disguised(b"x_forwarded_for"), is_disguised(b"content_length"), is_disguised(b"my_own")
    (True, True, False)
    """
    if b"_" not in name:
        return False
    plain = name.replace(b"_", b"-")
    return plain in _OF_ONE_CONNECTION or plain in _FOR_ALL or is_forwarding(plain)


def find_value(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The first value of a header; empty if there is none."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), "")


def _read_names(connection: bytes) -> Set[bytes]:
    """The further headers of one connection that a value of ``Connection`` names."""
    names = {token.strip().lower() for token in connection.split(b",")}
    return {name for name in names - _FOR_ALL - _OF_ONE_CONNECTION if not is_forwarding(name)}
