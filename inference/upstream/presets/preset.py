"""What a preset says: the doors of a service, and where pictures are in what is sent there."""

import json
import re
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from inference.labels.label_table import LabelTable
from inference.upstream.answers.formats import AnswerFormat
from inference.upstream.presets.paths import check_path

MAX_PICTURES = 32
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$", max_length=40)]
Method = Annotated[str, Field(pattern=r"^[A-Z]+$", max_length=20)]
PathPattern = Annotated[str, Field(min_length=1, max_length=500)]
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
_ANY_DEPTH = "/**"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PicturePlace(_Data):
    """Where pictures are in one kind of body, and how they are written there."""

    body: Literal["form", "json", "raw", "tensors"]
    names: tuple[str, ...] = ()
    """Fields of a form; JSON pointers, in which ``*`` stands for any one step and ``**`` at the end
    for any number of them; names of tensors, ``*`` for any. None for a raw body."""
    coding: Literal["raw", "base64", "data_url", "either", "gradio_file"] = "raw"
    """``either`` is base64, with or without the head of a data URL. ``gradio_file`` is a data URL,
    or an object with the ``path`` of an earlier upload or with a data URL as its ``url``."""
    alphabet: Literal["standard", "url", "either"] = "standard"
    """Of base64 (RFC 4648, sections 4 and 5)."""
    is_lenient: bool = False
    """Whether base64 may have blanks and line breaks in it and lack its filling."""
    min_pictures: int = Field(default=1, ge=0, le=MAX_PICTURES)
    """A body that is not asked for this many may still have them: they are gated as all are."""
    max_pictures: int = Field(default=1, ge=1, le=MAX_PICTURES)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if (self.body == "raw") is bool(self.names):
            raise ValueError("names belong to every body but a raw one")
        if not all(name.strip() for name in self.names):
            raise ValueError("a name is empty")
        if self.body == "json":
            _check_pointers(self.names)
        return self

    @model_validator(mode="after")
    def _check_coding(self) -> Self:
        codings = {
            "form": {"raw", "base64", "data_url", "either"},
            "json": {"base64", "data_url", "either", "gradio_file"},
            "raw": {"raw"},
            "tensors": {"base64"},
        }[self.body]
        if self.coding not in codings:
            raise ValueError(f"coding of a {self.body} body is {' or '.join(sorted(codings))}")
        return self

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        if self.min_pictures > self.max_pictures:
            raise ValueError("min_pictures is larger than max_pictures")
        return self


class Door(_Data):
    """Requests of one kind: those with pictures, or those that are declared to have none."""

    name: Name
    kind: Literal["picture", "plain"]
    paths: tuple[PathPattern, ...] = Field(min_length=1)
    """Patterns of paths as they are sent: ``*`` is all or a part of one segment, ``**`` as the last
    segment is one or more."""
    methods: tuple[Method, ...] = Field(default=("POST",), min_length=1)
    places: tuple[PicturePlace, ...] = ()
    answer: AnswerFormat | None = None
    """How the parse is read from the answer, or from the events that a call leads to; nothing
    where there is none."""
    part: Literal["whole", "upload", "call", "events"] = "whole"
    """Which part of an exchange its requests are. An ``upload`` is answered by a list of paths that
    later requests name; a ``call`` by the id of an event; ``events`` say what came of calls."""

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        if self.kind == "picture" and not self.places:
            raise ValueError("a door for pictures needs places")
        if self.kind == "plain" and (self.places or self.answer):
            raise ValueError("a plain door has neither places nor an answer")
        if (self.part == "events" and self.kind == "picture") or (
            self.part in ("upload", "call") and self.kind == "plain"
        ):
            raise ValueError(f"a {self.kind} door is no part {self.part!r}")
        bodies = [(place.body, place.names) for place in self.places]
        if len(set(bodies)) < len(bodies):
            raise ValueError("a place stands twice")
        return self

    @model_validator(mode="after")
    def _check_paths(self) -> Self:
        for path in self.paths:
            check_path(path)
        return self


class Preset(_Data):
    """How to talk to one kind of service."""

    name: Name
    summary: str = Field(default="", max_length=200)
    applies_exif: bool
    """Whether the service turns pictures as their EXIF data says."""
    labels: LabelTable = LabelTable()
    doors: tuple[Door, ...] = Field(min_length=1)
    """A request is at the first door whose method and path fit."""

    @model_validator(mode="after")
    def _check_doors(self) -> Self:
        names = [door.name for door in self.doors]
        if len(set(names)) < len(names):
            raise ValueError("two doors have one name")
        if all(door.kind == "plain" for door in self.doors):
            raise ValueError("no door is one for pictures")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of all that it says; its summary left out."""
        document = self.model_dump(mode="json", exclude={"summary"})
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()


def _check_pointers(names: tuple[str, ...]) -> None:
    for name in names:
        if not _POINTER.fullmatch(name):
            raise ValueError(f"{name!r} is no JSON pointer: write /name or /list/*/name")
        if _ANY_DEPTH in name.removesuffix(_ANY_DEPTH):
            raise ValueError(f"{name!r} has a ** that is not its end")
