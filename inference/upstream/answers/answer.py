"""An answer on its way to a parsing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from inference.labels.label_table import LabelTable


@dataclass(frozen=True)
class Part:
    """Which picture of a request a parse is of.

    Attributes:
        place: from 0, in the order of the pictures.
        count: how many pictures there are.
        is_sure: whether each picture is an item of the request of its own, in their order: only
            then the order of parses says which is whose.
    """

    place: int = 0
    count: int = 1
    is_sure: bool = True


ALONE = Part()
"""The only one."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What an upstream answered to one picture, and what is known of it.

    Attributes:
        content_type: as the upstream sent it.
        chunks: the body; given up as it is read.
        labels: the preset's label table.
        size: height and width of the picture.
        files: pictures that the body only points at, by the path that it has for them.
        part: which of the parses in it is meant.
    """

    content_type: str
    chunks: Iterator[bytes]
    labels: LabelTable
    size: tuple[int, int]
    files: Mapping[str, bytes] = field(default_factory=dict)
    part: Part = ALONE

    def read_body(self) -> bytes:
        """The body in one piece."""
        return b"".join(self.chunks)
