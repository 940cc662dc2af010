"""The label lists that come with Maskwatch, and which group each of their labels belongs to."""

import pytest
from pydantic import ValidationError

from detectors.label_lists import LABEL_LISTS, mirror_labels
from detectors.parts import PartGroup, group_of
from inference.labels.label_table import LabelTable
from inference.labels.shipped_tables import shipped_tables


def test_the_lists_have_their_authors_lengths() -> None:
    lengths = {name: len(table.names) for name, table in shipped_tables().items()}
    assert lengths == {
        **{name.lower(): len(labels) for name, labels in LABEL_LISTS.items()},
        "bodypix": 25,
        "pascal": 7,
        "celebamask": 19,
        "sapiens": 28,
        "fashn": 18,
    }


@pytest.mark.parametrize("name", shipped_tables())
def test_every_label_belongs_to_a_group_that_says_something(name: str) -> None:
    table = LabelTable(table=name)
    assert table.unknown == ()
    assert table.parts[0] == "background"
    groups = [group_of(part) for part in table.parts[1:]]
    assert None not in groups
    assert PartGroup.OTHER not in groups


@pytest.mark.parametrize("name", shipped_tables())
def test_mirroring_twice_changes_nothing_and_keeps_groups(name: str) -> None:
    table = LabelTable(table=name)
    mirrored = mirror_labels(table.names)
    assert [mirrored[label] for label in mirrored] == list(range(len(mirrored)))
    assert [group_of(table.parts[label]) for label in mirrored] == [
        group_of(part) for part in table.parts
    ]


def test_sides_that_are_written_as_one_letter_are_sides() -> None:
    names = shipped_tables()["celebamask"].names
    mirrored = mirror_labels(names)
    assert names[mirrored[names.index("l_eye")]] == "r_eye"
    assert names[mirrored[names.index("l_lip")]] == "l_lip"


def test_a_group_of_a_table_may_be_changed() -> None:
    table = LabelTable.model_validate({"table": "pascal", "groups": {"Head": "face"}})
    assert table.parts[:3] == ("background", "face", "torso")


def test_what_a_table_says_is_what_a_source_is_told_by() -> None:
    named, written = LabelTable(table="atr"), LabelTable(names=LABEL_LISTS["ATR"])
    assert named == written
    assert named.model_dump(mode="json") == {"names": [*LABEL_LISTS["ATR"]], "groups": {}}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"table": "bodypics"}, "there is no table 'bodypics': take atr, bodypix,"),
        ({"table": "atr", "names": ["bg", "face"]}, "table and names stand side by side"),
        ({"table": "atr", "groups": {"Tail": "other"}}, "labels that are not in names: Tail"),
    ],
)
def test_a_fault_is_said(document: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        LabelTable.model_validate(document)
