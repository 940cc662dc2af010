"""What a description says of a model: what it sees, what it answers, and what that means."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detectors.label_lists import BACKGROUND, label_words
from inference.labels.label_table import LabelTable

Side = Annotated[int, Field(ge=8, le=4096)]
Triple = tuple[float, float, float]
_MAX_NUMBER = 1e6


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class InputForm(_Data):
    """How a network wants to see a picture."""

    name: str = ""
    """Of the input; not needed where there is one only."""
    layout: Literal["nchw", "nhwc"] = "nchw"
    type: Literal["float32", "float16", "uint8"] = "float32"
    colours: Literal["rgb", "bgr"] = "rgb"
    white: float = Field(default=1.0, gt=0, le=65_535)
    """What the brightest pixel is, before mean and deviation: mostly 1 or 255."""
    mean: Triple = (0.0, 0.0, 0.0)
    """Of the channels in the order of ``colours``; taken away first."""
    deviation: Triple = (1.0, 1.0, 1.0)
    """What is left is divided by it."""
    size: tuple[Side, Side] | None = None
    """Width and height to which every picture is stretched."""
    long_side: Side | None = None
    """The longer side of a picture that keeps its proportions."""
    stride: int = Field(default=1, ge=1, le=256)
    offset: int = Field(default=0, ge=0, le=255)
    """Sides are a multiple of ``stride`` plus ``offset``; only with ``long_side``."""

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if (self.size is None) is (self.long_side is None):
            raise ValueError("give either size = [width, height] or long_side")
        if self.size is not None and (self.stride, self.offset) != (1, 0):
            raise ValueError("stride and offset belong to long_side")
        return self

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        if not all(0 < abs(each) < _MAX_NUMBER for each in self.deviation):
            raise ValueError("a deviation is 0 or far too large")
        if self.type == "uint8" and (self.white, self.mean, self.deviation) != _PLAIN_BYTES:
            raise ValueError("a uint8 input sees plain bytes: white = 255, no mean, no deviation")
        return self


_PLAIN_BYTES = (255.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class OutputForm(_Data):
    """What one output of a network holds."""

    name: str = Field(min_length=1)
    holds: Literal["labels", "person"] = "labels"
    """Values of each label, or how much of a person there is at all."""
    values: Literal["logits", "probabilities", "labels", "alpha"]
    """``labels`` are indices; ``alpha`` is one channel, from background 0 to foreground 1."""
    activation: Literal["softmax", "sigmoid"] | None = None
    """What makes probabilities of logits."""
    layout: Literal["nchw", "nhwc", "nhw"] = "nchw"
    grid: Literal["cells", "corners"] = "cells"
    """Where its values lie on the picture: each in the middle of its cell, or the outermost on the
    corners, as networks answer whose sides are a multiple plus one."""

    @model_validator(mode="after")
    def _check_activation(self) -> Self:
        if (self.values == "logits") is (self.activation is None):
            raise ValueError("logits need an activation, softmax or sigmoid, and nothing else does")
        return self

    @model_validator(mode="after")
    def _check_person(self) -> Self:
        if self.holds == "person" and (self.values == "labels" or self.activation == "softmax"):
            raise ValueError("an output for the person has one channel: no labels and no softmax")
        return self


class BackgroundRule(_Data):
    """Where there is nobody."""

    rule: Literal["channel", "below"] = "channel"
    """``channel``: the first label is the background and competes with the others. ``below``: the
    outputs have no background; it is where the person, or else the likeliest label, is below
    ``threshold``."""
    threshold: float = Field(default=0.5, gt=0, lt=1)


class Description(_Data):
    """All that is needed to use a network whose parts nobody here knows."""

    summary: str = Field(default="", max_length=200)
    input: InputForm
    outputs: tuple[OutputForm, ...] = Field(min_length=1, max_length=2)
    background: BackgroundRule = BackgroundRule()
    labels: LabelTable

    @model_validator(mode="after")
    def _check_outputs(self) -> Self:
        if sorted(output.holds for output in self.outputs) not in (
            ["labels"],
            ["labels", "person"],
        ):
            raise ValueError("outputs are one for labels, and at most one for the person")
        if len({output.name for output in self.outputs}) < len(self.outputs):
            raise ValueError("two outputs have one name")
        return self

    @model_validator(mode="after")
    def _check_background(self) -> Self:
        values = self.label_output.values
        if self.background.rule == "channel" and self.person_output is not None:
            raise ValueError('an output for the person needs background.rule = "below"')
        if self.background.rule == "channel" and values == "alpha":
            raise ValueError('alpha has no background channel: background.rule is "below"')
        if self.background.rule == "below" and values == "labels":
            raise ValueError('labels are indices, and 0 is the background: its rule is "channel"')
        if values == "alpha" and len(self.labels.names) != 2:
            raise ValueError("alpha is for two labels: the background and the foreground")
        return self

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        if not self.labels.names:
            raise ValueError("labels are missing: write names, or the name of a table")
        if len(set(self.label_names)) < len(self.label_names):
            raise ValueError("two labels differ in nothing but their spelling")
        return self

    @property
    def label_output(self) -> OutputForm:
        """The output that tells labels apart."""
        return next(output for output in self.outputs if output.holds == "labels")

    @property
    def person_output(self) -> OutputForm | None:
        """The output that tells a person from the background, if there is one."""
        return next((output for output in self.outputs if output.holds == "person"), None)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Labels as Maskwatch writes them, the background by its own name."""
        names = (label_words(name).replace(" ", "_") for name in self.labels.names[1:])
        return (BACKGROUND, *names)

    @property
    def channel_count(self) -> int:
        """Channels of the output for labels."""
        if self.label_output.values in ("labels", "alpha"):
            return 1
        return len(self.labels.names) - (self.background.rule == "below")
