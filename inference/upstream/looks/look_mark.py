"""The header that marks our own looks, so that they are known if they come back."""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from secrets import token_bytes, token_hex

Headers = list[tuple[bytes, bytes]]

HEADER = b"maskwatch-look"
_NONCE_BYTES = 16
_KEY_BYTES = 32


class LookMark:
    """Writes and knows marks, with a key that is drawn anew for every process.

    >>> mark = LookMark()
    >>> mark.is_on([mark.write()]), mark.is_on([LookMark().write()]), mark.is_on([(HEADER, b"1")])
    (True, False, False)
    """

    def __init__(self) -> None:
        self._key = token_bytes(_KEY_BYTES)

    def write(self) -> tuple[bytes, bytes]:
        """The header of one look."""
        nonce = token_hex(_NONCE_BYTES)
        return HEADER, f"{nonce}.{self._sign(nonce)}".encode("ascii")

    def is_on(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request is a look that this process has sent."""
        return any(name.lower() == HEADER and self._is_own(value) for name, value in headers)

    def _is_own(self, value: bytes) -> bool:
        nonce, _, signature = value.decode("latin-1").partition(".")
        own = self._sign(nonce).encode("ascii")
        return hmac.compare_digest(own, signature.encode("latin-1"))

    def _sign(self, nonce: str) -> str:
        return hmac.new(self._key, nonce.encode("latin-1"), sha256).hexdigest()


def leave_out_marks(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """All headers but marks, also in the spelling that WSGI takes for the same.

    >>> leave_out_marks([(b"Maskwatch-Look", b"1"), (b"maskwatch_look", b"1"), (b"accept", b"*/*")])
    [(b'accept', b'*/*')]
    """
    return [pair for pair in headers if pair[0].lower().replace(b"_", b"-") != HEADER]
