"""The labels of a model or service, and what detectors know each of them as."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detectors.label_lists import BACKGROUND
from detectors.parts import PartGroup, unknown_labels
from inference.labels.shipped_tables import find_table

# Label maps are uint8, and readers need one value that stands for no label.
MAX_LABELS = 255


class LabelTable(BaseModel):
    """Which names a model or service gives to its labels, and which part group each belongs to.

    >>> table = LabelTable(names=("bg", "Visage", "tail"), groups={"Visage": "face"})
    >>> table.parts, table.unknown
    (('background', 'face', 'tail'), ('tail',))
    >>> LabelTable(table="pascal").parts[:3]
    ('background', 'head', 'torso')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str | None = Field(default=None, exclude=True)
    """A shipped table that names and groups are taken from; ``groups`` may change some of them."""
    names: tuple[str, ...] = Field(default=(), max_length=MAX_LABELS)
    """Names in the order of their indices; index 0 is the background, whatever it is called."""
    groups: Mapping[str, PartGroup] = {}
    """Part groups of names that Maskwatch does not know, or knows as something else."""

    @model_validator(mode="before")
    @classmethod
    def _take_table(cls, document: Any) -> Any:
        """Write out the table, so that a source's digest follows from what the table says."""
        if not isinstance(document, dict) or not isinstance(document.get("table"), str):
            return document
        if "names" in document:
            raise ValueError("table and names stand side by side: give one of them")
        shipped = find_table(document["table"])
        own = document.get("groups", {})
        groups = {**shipped.groups, **own} if isinstance(own, dict) else own
        return {**document, "table": None, "names": shipped.names, "groups": groups}

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
