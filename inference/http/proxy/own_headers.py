"""Headers of Maskwatch in a request: they are not the upstream's business."""

from collections.abc import Iterable

from inference.admission.identity import presented_keys
from inference.upstream.looks.look_mark import leave_out_marks
from store.people.api_keys import is_key

Headers = list[tuple[bytes, bytes]]
_KEY_HEADERS = (b"authorization", b"x-api-key")


def leave_out_own(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """All headers but those with a key of ours, and marks of looks, which only we may write.

    Other tokens are meant for the upstream.

    >>> leave_out_own([(b"x-api-key", b"mwk_1"), (b"authorization", b"Bearer theirs")])
    [(b'authorization', b'Bearer theirs')]
    """
    kept = leave_out_marks(headers)
    return [pair for pair in kept if not (pair[0] in _KEY_HEADERS and _has_key(pair[1]))]


def _has_key(value: bytes) -> bool:
    text = value.decode("latin-1").strip()
    return any(map(is_key, presented_keys([text], [text])))
