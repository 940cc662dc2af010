"""Every format that an answer may have, the most telling first."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from pydantic import ValidationError

from inference.upstream.answers.formats import JsonPictures, LabelPng, MaskPng
from inference.upstream.learning.answers.json_answers import propose_annotated, propose_documents
from inference.upstream.learning.answers.number_answers import propose_nested, propose_tensors
from inference.upstream.learning.answers.png_answers import propose_png
from inference.upstream.learning.answers.proposal import Proposal

_PNG = b"\x89PNG"
_RANK_OF_PALETTES = 9


def propose_formats(content_type: str, body: bytes, size: tuple[int, int]) -> list[Proposal]:
    """The formats by which an answer may be read, for a picture of a size (height, width)."""
    return sorted(_keep_valid(_propose(content_type, body, size)), key=_rank)


def _keep_valid(proposals: Iterator[Proposal]) -> Iterator[Proposal]:
    """Those before one that no preset can say, such as a pointer of a thousand characters."""
    with suppress(ValidationError):
        yield from proposals


def _propose(content_type: str, body: bytes, size: tuple[int, int]) -> Iterator[Proposal]:
    if body[:4] == _PNG:
        return propose_png(body, size)
    return chain(
        propose_annotated(content_type, body),
        propose_documents(body, size),
        propose_nested(body),
        propose_tensors(body, size),
    )


def _rank(proposal: Proposal) -> int:
    """Formats that name their labels come first, and those that any picture may fit last."""
    if proposal.has_palette:
        return _RANK_OF_PALETTES
    form = proposal.form
    if isinstance(form, JsonPictures) and isinstance(form.picture, MaskPng):
        return 2
    return 1 if isinstance(form, JsonPictures | LabelPng) else 0
