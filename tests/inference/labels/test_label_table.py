import pytest
from pydantic import ValidationError

from inference.labels.label_table import MAX_LABELS, LabelTable


def test_a_label_is_known_by_its_group_else_by_its_own_name() -> None:
    table = LabelTable.model_validate(
        {"names": ["bg", "Visage", "Hair", "tail"], "groups": {"Visage": "face"}}
    )
    assert table.parts == ("background", "face", "Hair", "tail")
    assert table.unknown == ("tail",)
    assert table.indices == {"bg": 0, "Visage": 1, "Hair": 2, "tail": 3}


def test_a_table_may_be_empty() -> None:
    assert LabelTable().parts == LabelTable().unknown == ()


@pytest.mark.parametrize(
    "document",
    [
        {"names": ["bg", "face", "face"]},
        {"names": ["bg", " "]},
        {"names": ["bg", "face"], "groups": {"hair": "hair"}},
        {"names": ["bg", "face"], "groups": {"bg": "face"}},
        {"names": ["bg", "face"], "groups": {"face": "tail"}},
        {"names": ["bg"], "group": {}},
        {"names": [str(n) for n in range(MAX_LABELS + 1)]},
    ],
)
def test_faults_of_a_table_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LabelTable.model_validate(document)
