"""Who is told of: part of the source that a parse comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """A service that others tell of.

    Attributes:
        id: the same for all that is told of it, and for nothing else.
        name: what people know it by.
    """

    id: str
    name: str
