"""How many records a second the store takes, and what a bare insert of the same rows reaches."""

from collections.abc import Iterator, Sequence
from itertools import batched  # type: ignore[attr-defined]
