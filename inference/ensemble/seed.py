"""Randomness that a client can neither know nor choose."""

from secrets import randbits

from numpy.random import Generator, default_rng


def fresh_random() -> Generator:
    """A generator for one request, from 128 bits of the operating system.

    Nothing of the request goes into it: what a client sends, or sends again, tells nothing about
    the next draw. What is drawn stays inside; only its effect on a few means is recorded.
    """
    return default_rng(randbits(128))
