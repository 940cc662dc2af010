"""The kinds of answers that upstreams give: data of a preset, one frozen model a kind.

Pointers are JSON pointers (RFC 6901) into the answer; the empty one is the whole of it.
"""

from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from inference.labels.label_table import MAX_LABELS

Pointer = Annotated[str, Field(pattern=r"^(/([^~]|~[01])*)*$", max_length=500)]
# TOML has no word for nothing: a preset writes ``false`` where answers lack what others have.
MaybePointer = Annotated[Pointer | None, BeforeValidator(lambda v: None if v is False else v)]
Value = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[Value, Value, Value]


class _Format(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelPng(_Format):
    """A PNG, grey or with a palette, whose pixel values are label indices."""

    kind: Literal["label_png"] = "label_png"


class PalettePng(_Format):
    """A PNG in which each label has a colour."""

    kind: Literal["palette_png"] = "palette_png"
    palette: tuple[Colour, ...] = Field(min_length=1, max_length=MAX_LABELS)
    """Red, green and blue of each label, in the order of the indices."""
    order: Literal["rgb", "bgr"] = "rgb"
    """How the upstream writes a colour: many save a picture of OpenCV without turning it round."""
    tolerance: int = Field(default=0, ge=0, le=16)
    """How far each of the three values may be from its label's colour."""

    @model_validator(mode="after")
    def _check_colours(self) -> Self:
        for one, other in combinations(self.palette, 2):
            if all(abs(a - b) <= 2 * self.tolerance for a, b in zip(one, other, strict=True)):
                raise ValueError(f"the colours {one} and {other} are too close to tell apart")
        return self


class MaskPng(_Format):
    """A PNG that shows one label: light where it is."""

    kind: Literal["mask_png"] = "mask_png"


class JsonPictures(_Format):
    """JSON with pictures in base64 or as data URLs."""

    kind: Literal["json_pictures"] = "json_pictures"
    pointer: Pointer
    """One picture of all labels; with ``mask_png`` an object of masks by label name, or a list of
    them in the order of the indices."""
    picture: Annotated[LabelPng | PalettePng | MaskPng, Field(discriminator="kind")] = LabelPng()


class _Masks(_Format):
    person_label: str | None = None
    """The name, or the index as text, of masks that show a whole person and not a part."""


class ScoredMasks(_Masks):
    """A JSON list of objects with a label, a score and a mask as PNG in base64 (Hugging Face)."""

    kind: Literal["scored_masks"] = "scored_masks"
    items: Pointer = ""
    label: Pointer = "/label"
    """In each object: a name, or an index."""
    score: MaybePointer = "/score"
    """In each object; where masks overlap, the surest is on top, else the last."""
    mask: Pointer = "/mask"


class CocoRle(_Masks):
    """A JSON list of objects with a run-length encoded mask, as COCO writes it."""

    kind: Literal["coco_rle"] = "coco_rle"
    items: Pointer = ""
    label: Pointer = "/category_id"
    """In each object: a name, or an index."""
    score: MaybePointer = None
    """In each object; where masks overlap, the surest is on top, else the last."""
    mask: Pointer = "/segmentation"
    """In each object: ``size`` (height and width) and ``counts``, a list or COCO's text."""
    first_label: int = Field(default=0, ge=0, le=1)
    """The number of the label with index 0."""


class MaskList(_Masks):
    """JSON with a list of masks as PNG in base64, and lists of their labels and scores."""

    kind: Literal["mask_list"] = "mask_list"
    masks: Pointer = "/masks"
    labels: Pointer = "/labels"
    """Names, or indices."""
    scores: MaybePointer = None
    """Where masks overlap, the surest is on top, else the last."""


class NestedLists(_Masks):
    """JSON with masks as nested lists of numbers, and lists of labels and scores (ModelScope)."""

    kind: Literal["nested_lists"] = "nested_lists"
    masks: Pointer = "/masks"
    labels: Pointer = "/labels"
    """Names, or indices."""
    scores: MaybePointer = "/scores"
    """Where masks overlap, the surest is on top, else the last."""
    threshold: float = Field(default=0.5, ge=0, lt=255, allow_inf_nan=False)
    """A pixel belongs to a mask where its number is larger."""


class Tensors(_Format):
    """KServe's protocols: v2 in JSON or with binary tensors, v1 with ``predictions``."""

    kind: Literal["tensors"] = "tensors"
    version: Literal["v1", "v2"] = "v2"
    output: str | None = None
    """Name of the tensor: an output of v2, a key of a prediction of v1; else there is only one."""
    content: Literal["labels", "logits", "probabilities"] = "labels"
    layout: Literal["chw", "hwc"] = "chw"
    """Where the labels of logits and probabilities lie."""
    is_scaled: bool = False
    """Whether the tensor has a size of its own and covers the whole picture."""


class AnnotatedImage(_Format):
    """Gradio's ``AnnotatedImage``: a picture of each part, whose alpha is the mask."""

    kind: Literal["annotated_image"] = "annotated_image"
    output: int = Field(default=0, ge=0, le=100)
    """Which of the outputs it is."""
    files: str = Field(default="/gradio_api/file=", pattern=r"^/[\x21-\x7e]*$", max_length=500)
    """What stands before the path of a part's picture where the service gives it out."""


AnswerFormat = Annotated[
    LabelPng
    | PalettePng
    | JsonPictures
    | CocoRle
    | MaskList
    | NestedLists
    | ScoredMasks
    | Tensors
    | AnnotatedImage,
    Field(discriminator="kind"),
]
