"""Keeps the memory of a long-lived process flat."""

import ctypes

# <malloc.h>
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_ARENAS = 2
_MAX_BYTES = 2**31 - 1
_LARGEST_KEPT = 2**30
_SMALL = 2**25


def keep_few_arenas() -> None:
    """Let all threads share a few memory pools of the C library.

    By default each thread gets pools of its own and keeps what it once used: pictures of many sizes
    on changing threads then add up to hundreds of megabytes. Call it before threads start. Without
    effect where the C library has no such thing.
    """
    _set(_M_ARENA_MAX, _ARENAS)


def keep_pages() -> None:
    """Let a large network use the same memory again and again.

    By default each large tensor is new memory from the kernel, which fills it with zeros page by
    page (measured in docs/m2fp-figures.md). The process then stays as large as it once was.
    """
    _set(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
    _set(_M_TRIM_THRESHOLD, _MAX_BYTES)


def keep_small_pages() -> None:
    """The same for arrays of ordinary pictures alone: what a huge one took is given back."""
    _set(_M_MMAP_THRESHOLD, _SMALL)
    _set(_M_TRIM_THRESHOLD, 2 * _SMALL)


def _set(parameter: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(parameter, value)
