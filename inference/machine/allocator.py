"""Keeps the memory of a long-lived process flat."""

import ctypes

# <malloc.h>
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_ARENAS = 2
# Bodies and pictures of more than a few million pixels; smaller ones come and go all the time.
_LARGE_BYTES = 8_000_000
_MAX_BYTES = 2**31 - 1
_LARGEST_KEPT = 2**30


def keep_few_arenas() -> None:
    """Let all threads share a few memory pools of the C library.

    By default each thread gets pools of its own and keeps what it once used: pictures of many sizes
    on changing threads then add up to hundreds of megabytes. Call it before threads start. Without
    effect where the C library has no such thing.
    """
    _set(_M_ARENA_MAX, _ARENAS)


def give_large_blocks_back() -> None:
    """Let what a large upload needed go back to the system as soon as it is not needed any more.

    By default the C library keeps blocks of the largest size that was ever given back, up to 32 MB:
    a burst of large uploads leaves the process as large as it was at its peak. What ordinary
    pictures need is kept for the next one. :func:`keep_pages` wins over this where a large network
    is hosted.
    """
    _set(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    _set(_M_TRIM_THRESHOLD, 2 * _LARGE_BYTES)


def keep_pages() -> None:
    """Let a large network use the same memory again and again.

    By default each large tensor is new memory from the kernel, which fills it with zeros page by
    page (measured in docs/m2fp-figures.md). The process then stays as large as it once was.
    """
    _set(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
    _set(_M_TRIM_THRESHOLD, _MAX_BYTES)


def _set(parameter: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(parameter, value)
