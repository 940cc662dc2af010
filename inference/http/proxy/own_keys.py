"""Keys of Maskwatch in a request: they are not the upstream's business."""

from collections.abc import Iterable

from inference.admission.identity import presented_keys
from store.people.api_keys import is_key

Headers = list[tuple[bytes, bytes]]
_KEY_HEADERS = (b"authorization", b"x-api-key")


def leave_out_keys(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """All headers but those with a key of ours; other tokens are meant for the upstream.

    >>> leave_out_keys([(b"x-api-key", b"mwk_1"), (b"authorization", b"Bearer theirs")])
    [(b'authorization', b'Bearer theirs')]
    """
    return [(name, value) for name, value in headers if not _has_key(name, value)]


def _has_key(name: bytes, value: bytes) -> bool:
    text = value.decode("latin-1").strip()
    return name in _KEY_HEADERS and any(map(is_key, presented_keys([text], [text])))
