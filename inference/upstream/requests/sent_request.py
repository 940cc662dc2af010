"""A request to an upstream: its pictures, and the body that goes on in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from inference.upload import Upload


@dataclass(frozen=True)
class RequestLimits:
    """What a body may hold.

    Attributes:
        max_picture_bytes: of one picture.
        max_text_bytes: of all that is no picture, together.
        max_parts: of a form.
        max_depth: of JSON.
    """

    max_picture_bytes: int
    max_text_bytes: int = 65_536
    max_parts: int = 64
    max_depth: int = 32


@dataclass(frozen=True)
class SentPath:
    """A file of the upstream that a request names, such as that of an earlier upload.

    Attributes:
        place: a JSON pointer (RFC 6901) into the body.
    """

    place: str
    path: str


@dataclass(frozen=True)
class GatedBody:
    """A body for the upstream.

    Attributes:
        headers: further headers, which take the places of the client's headers of these names.
    """

    content_type: str
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class ParsedBody(Protocol):
    """What was parsed of a body."""

    def write(self, pictures: Sequence[bytes]) -> GatedBody:
        """Build a body anew, with these pictures in the places of those that were sent."""
        ...


@dataclass(frozen=True)
class SentRequest:
    """A request that was read.

    Attributes:
        uploads: the pictures, in the order of the body, hashed.
        paths: files that it names instead of pictures; only presets of Gradio have them.
        is_itemized: whether each picture is an item of its own, and there are no other items.
    """

    uploads: tuple[Upload, ...]
    body: ParsedBody
    paths: tuple[SentPath, ...] = ()
    is_itemized: bool = True

    @property
    def is_in_order(self) -> bool:
        """Whether answers that come in the order of the pictures can be told apart by it.

        Pictures and paths are counted one after the other, and each path once.
        """
        has_both = bool(self.uploads and self.paths)
        is_repeated = len({each.path for each in self.paths}) < len(self.paths)
        return self.is_itemized and not has_both and not is_repeated

    def rebuild(self, files: Sequence[bytes] | None = None) -> GatedBody:
        """The body that goes on: built anew from what was parsed, never the client's own bytes.

        Args:
            files: what takes the place of each picture; ``None`` for the pictures as they came.

        Raises:
            ValueError: there are more or fewer files than pictures.
        """
        pictures = [upload.data for upload in self.uploads] if files is None else files
        if len(pictures) != len(self.uploads):
            raise ValueError(f"{len(pictures)} files for {len(self.uploads)} pictures")
        return self.body.write(pictures)
