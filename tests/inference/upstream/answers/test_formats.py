import pytest
from pydantic import TypeAdapter, ValidationError

from inference.upstream.answers.formats import AnswerFormat, JsonPictures, LabelPng, NestedLists

FORMATS: TypeAdapter[AnswerFormat] = TypeAdapter(AnswerFormat)


def test_the_kind_says_which_format_it_is() -> None:
    assert FORMATS.validate_python({"kind": "label_png"}) == LabelPng()
    assert FORMATS.validate_python({"kind": "nested_lists", "masks": "/a~1b/0"}) == NestedLists(
        masks="/a~1b/0"
    )
    pictures = FORMATS.validate_python({"kind": "json_pictures", "pointer": "/mask"})
    assert pictures == JsonPictures(pointer="/mask", picture=LabelPng())


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "picture"},
        {},
        {"kind": "label_png", "colour": 1},
        {"kind": "palette_png", "palette": []},
        {"kind": "palette_png", "palette": [[0, 0, 256]]},
        {"kind": "palette_png", "palette": [[0, 0, 0]], "order": "grb"},
        {"kind": "json_pictures", "pointer": "mask"},
        {"kind": "json_pictures", "pointer": "/mask~2"},
        {"kind": "nested_lists", "threshold": float("nan")},
        {"kind": "tensors", "version": "v3"},
    ],
)
def test_faults_of_a_format_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FORMATS.validate_python(document)
