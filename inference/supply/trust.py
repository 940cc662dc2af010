"""Whose models are loaded."""

from dataclasses import dataclass
from pathlib import Path

from inference.supply.errors import ModelError

MAX_KEYS = 2
"""The key in use and the one that follows or went before it."""


@dataclass(frozen=True)
class Trust:
    """Whose models are loaded.

    Attributes:
        keys: PEM files of public keys, at most two; with any, a signature by one is needed.
        is_required: whether a model that nobody vouches for is refused.
    """

    keys: tuple[Path, ...] = ()
    is_required: bool = False

    def __post_init__(self) -> None:
        if len(self.keys) > MAX_KEYS:
            raise ModelError(f"At most {MAX_KEYS} keys are accepted: the old one and the new one.")


ANYONE = Trust()
