"""What a report says in JSON."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from detectors.registry import FeatureError, FeatureVector, Group, find_feature
from inference.admission.forwarded import read_hop
from inference.labels.label_table import LabelTable
from inference.upstream.answers.formats import AnswerFormat

_GIVEN_GROUPS = {Group.INPUT, Group.MODEL, Group.TOPOLOGY}


class _Fields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class MaskFields(_Fields):
    """How the masks are read from the answer."""

    format: AnswerFormat
    labels: LabelTable
    media_type: str = Field("application/json", max_length=200)
    """Of the answer."""
    answer: str | None = None
    """The answer in base64; in a form it is a file."""


class ReportFields(_Fields):
    """A picture or its features, and what a service answered to it."""

    client: str | None = Field(None, max_length=100)
    """The address that the picture came from; without it the sender is not known."""
    time: AwareDatetime | None = None
    """When the picture came in; now, if it is missing."""
    latency_ms: float | None = Field(None, ge=0, le=86_400_000)
    """How long the service took to answer."""
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    """Of the answer."""
    picture: str | None = None
    """The picture in base64; in a form it is a file."""
    features: dict[str, float] | None = None
    """In place of the picture: numbers of the groups input, model and topology."""
    masks: MaskFields | None = None

    @field_validator("client")
    @classmethod
    def _check_client(cls, value: str | None) -> str | None:
        if value is not None and read_hop(value) is None:
            raise ValueError("it is no IP address")
        return value

    @field_validator("features")
    @classmethod
    def _check_features(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        for name in value or ():
            _check_name(name)
        try:
            FeatureVector.of(value or {})
        except FeatureError as error:
            raise ValueError(str(error)) from None
        return value


def _check_name(name: str) -> None:
    try:
        is_given = find_feature(name).group in _GIVEN_GROUPS
    except FeatureError as error:
        raise ValueError(str(error)) from None
    if not is_given:
        raise ValueError(f"{name} cannot be given, only measured here")
