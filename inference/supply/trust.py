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
        is_required: whether a model that nobody vouches for is refused, keys or not.
    """

    keys: tuple[Path, ...] = ()
    is_required: bool = True

    def __post_init__(self) -> None:
        if len(self.keys) > MAX_KEYS:
            raise ModelError(f"At most {MAX_KEYS} keys are accepted: the old one and the new one.")


ANYONE = Trust(is_required=False)
"""Models that nobody vouches for are loaded, with a warning."""


@dataclass(frozen=True)
class ShippedFile:
    """A model file that comes with the program: the code vouches for its digest, wherever it lies.

    Attributes:
        path: where it was installed; nothing else is loaded from there.
    """

    path: Path
    sha256: str

    def lies_at(self, path: Path) -> bool:
        """Whether a path leads to where it was installed."""
        return path.resolve() == self.path.resolve()
