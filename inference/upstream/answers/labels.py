"""The labels of an upstream, and what detectors know each of them as."""

from collections.abc import Mapping
from functools import cached_property
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detectors.label_lists import BACKGROUND
from detectors.parts import PartGroup, unknown_labels

# Label maps are uint8, and readers need one value that stands for no label.
MAX_LABELS = 255


class LabelTable(BaseModel):
    """Which names an upstream gives to its labels, and which part group each belongs to.

    >>> table = LabelTable(names=("bg", "Visage", "tail"), groups={"Visage": "face"})
    >>> table.parts, table.unknown
    (('background', 'face', 'tail'), ('tail',))
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = Field(default=(), max_length=MAX_LABELS)
    """Names in the order of their indices; index 0 is the background, whatever it is called."""
    groups: Mapping[str, PartGroup] = {}
    """Part groups of names that Maskwatch does not know, or knows as something else."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if len(self.names) == 1:
            raise ValueError("there is a background, and no label besides it")
        if not all(name.strip() for name in self.names):
            raise ValueError("a label has no name")
        if len(set(self.names)) < len(self.names):
            raise ValueError("a label name stands twice")
        if strangers := sorted(set(self.groups) - set(self.names[1:])):
            raise ValueError(f"groups names labels that are not in names: {', '.join(strangers)}")
        return self

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """What detectors know each label as: its group's word, else its own name."""
        known = (str(self.groups.get(name, name)) for name in self.names[1:])
        return (BACKGROUND, *known) if self.names else ()

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """Names that belong to no part group: to be named once, at the start."""
        strangers = unknown_labels(self.parts)
        return tuple(n for n, part in zip(self.names, self.parts, strict=True) if part in strangers)

    @cached_property
    def indices(self) -> Mapping[str, int]:
        """The index of each name."""
        return {name: index for index, name in enumerate(self.names)}
