"""Keeps the memory of a long-lived process flat."""

import ctypes

_M_ARENA_MAX = -8  # <malloc.h>
_ARENAS = 2


def keep_few_arenas() -> None:
    """Let all threads share a few memory pools of the C library.

    By default each thread gets pools of its own and keeps what it once used: pictures of many sizes
    on changing threads then add up to hundreds of megabytes. Call it before threads start. Without
    effect where the C library has no such thing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
