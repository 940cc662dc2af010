"""A format that an answer may have, and what the answer shows of its labels."""

from dataclasses import dataclass

from pydantic.main import IncEx

from inference.upstream.answers.formats import (
    AnnotatedImage,
    AnswerFormat,
    Colour,
    JsonPictures,
    PalettePng,
    Tensors,
)

_COLOURS: dict[str, IncEx | bool] = {"palette": True, "order": True}
_PALETTE: dict[str, IncEx | bool] = {**_COLOURS, "picture": _COLOURS}
PERSON_LABELS = ("human", "person")


@dataclass(frozen=True)
class Proposal:
    """A guess.

    Attributes:
        names: of labels, as the answer has them.
        top: the largest index of a label.
        colours: of a palette, red first.
    """

    form: AnswerFormat
    names: tuple[str, ...] = ()
    top: int = 0
    colours: tuple[Colour, ...] = ()

    @property
    def key(self) -> str:
        """Equal for answers that one format may read."""
        return f"{type(self.form).__name__} {self.form.model_dump_json(exclude=_PALETTE)}"

    @property
    def fits_one_size(self) -> bool:
        """Whether an answer to a picture of another size would not be read."""
        if isinstance(self.form, Tensors):
            return not self.form.is_scaled
        return not isinstance(self.form, AnnotatedImage)

    @property
    def has_palette(self) -> bool:
        """Whether labels are colours."""
        form = self.form.picture if isinstance(self.form, JsonPictures) else self.form
        return isinstance(form, PalettePng)


def join_proposals(one: Proposal, other: Proposal) -> Proposal:
    """What two answers of one key show."""
    return Proposal(
        one.form,
        tuple(dict.fromkeys((*one.names, *other.names))),
        max(one.top, other.top),
        tuple(dict.fromkeys((*one.colours, *other.colours))),
    )


def split_labels(labels: list[object]) -> tuple[tuple[str, ...], int] | None:
    """Names and the largest index among the labels of an answer; ``None`` if they are neither."""
    names = tuple(dict.fromkeys(label for label in labels if isinstance(label, str)))
    indices = [label for label in labels if type(label) is int]
    if len(indices) + sum(isinstance(label, str) for label in labels) < len(labels):
        return None
    if (indices and min(indices) < 0) or not all(name.strip() for name in names):
        return None
    return names, max(indices, default=0)


def find_person(names: tuple[str, ...]) -> str | None:
    """The name for masks of whole persons, if there is one beside others."""
    persons = [name for name in names if name.casefold() in PERSON_LABELS]
    return persons[0] if persons and len(names) > 1 else None
