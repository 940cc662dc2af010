"""Cuts a body into blocks that are worth the work of a step, and not large."""

from collections.abc import Iterable, Iterator

BLOCK_BYTES = 1 << 18


def split_body(body: bytes) -> Iterator[bytes]:
    """A body in blocks of 256 KB."""
    return (body[at : at + BLOCK_BYTES] for at in range(0, len(body), BLOCK_BYTES))


def join_chunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks put together to blocks of at least 256 KB, but for the last one."""
    block = bytearray()
    for chunk in chunks:
        block += chunk
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)
