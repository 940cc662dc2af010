"""Takes the transport's compression off an answer, within a limit."""

import zlib
from collections.abc import Iterable, Iterator

from inference.upstream.answers.errors import AnswerUnreadable

_PIECE_BYTES = 1 << 18
# zlib's window bits that accept a gzip header, or a zlib one.
_ANY_HEADER = 32 + zlib.MAX_WBITS


def unpack_chunks(chunks: Iterable[bytes], encoding: str, limit_bytes: int) -> Iterator[bytes]:
    """The bytes behind a header ``Content-Encoding``, in pieces of at most 256 KB when packed.

    Raises:
        AnswerUnreadable: while iterating: an unknown encoding, broken data, more than the limit.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return iter(chunks)
    if name not in ("gzip", "x-gzip", "deflate"):
        raise AnswerUnreadable("The answer is compressed in a way that is not read here.")
    return _inflate(chunks, limit_bytes)


def _inflate(chunks: Iterable[bytes], limit_bytes: int) -> Iterator[bytes]:
    inflater, count = zlib.decompressobj(_ANY_HEADER), 0
    for chunk in chunks:
        packed = chunk
        while packed:
            piece = _decompress(inflater, packed)
            count += len(piece)
            if count > limit_bytes:
                raise AnswerUnreadable("The answer is too long when it is unpacked.")
            if inflater.unused_data:
                raise AnswerUnreadable("The compressed answer has something behind its end.")
            yield piece
            packed = inflater.unconsumed_tail
    # What the last call held back, and whether there is an end at all.
    yield inflater.flush()
    if not inflater.eof:
        raise AnswerUnreadable("The compressed answer ends too early.")


def _decompress(inflater: "zlib._Decompress", chunk: bytes) -> bytes:
    try:
        return inflater.decompress(chunk, _PIECE_BYTES)
    except zlib.error:
        raise AnswerUnreadable("The answer says that it is compressed, and is not.") from None
