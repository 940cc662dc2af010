"""Wrong configurations are told apart before anything is built."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectors.label_lists import LABEL_LISTS
from inference.segmenters.m2fp.configuration import CONFIGURATION, read_configuration
from inference.supply.errors import ModelError

Spoil = Callable[[dict[str, Any]], object]

WRONG: dict[str, tuple[Spoil, str]] = {
    "another task": (lambda c: c.update(task="image-classification"), "image-classification"),
    "another model": (lambda c: c["model"].update(type="maskdino"), "'maskdino'"),
    "no model": (lambda c: c.pop("model"), "lacks something"),
    "a depth": (lambda c: c["model"]["backbone"].update(depth=18), "depth 18"),
    "a decoder": (lambda c: c["model"]["decoder"].update(pre_norm=True), "pre_norm"),
    "a label less": (lambda c: c["model"]["classes"].pop(3), "20 classes for a network with 21"),
    "no background": (lambda c: c["model"]["classes"].reverse(), "background"),
    "a label twice": (lambda c: c["model"]["classes"].__setitem__(2, "Hat"), "twice"),
    "persons in the middle": (lambda c: c["model"].update(num_parsing=7), "whole person last"),
}


def _text(folder: Path) -> bytes:
    return (folder / CONFIGURATION).read_bytes()


def test_a_model_for_several_persons_has_parts_and_a_person(m2fp_folder: Path) -> None:
    said = read_configuration(_text(m2fp_folder), "here")
    assert said.labels == LABEL_LISTS["CIHP"]
    assert said.person_class == 20
    assert said.input_size is None
    assert said.person_threshold == 0.5
    assert not {"type", "pretrained"} & set(said.network)


def test_a_model_for_one_person_has_a_fixed_input(m2fp_single_folder: Path) -> None:
    said = read_configuration(_text(m2fp_single_folder), "here")
    assert said.labels == LABEL_LISTS["CIHP"]
    assert said.person_class is None
    assert said.input_size == (113, 113)


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_what_is_wrong_is_said_with_the_file(wrong: str, m2fp_folder: Path) -> None:
    spoil, said = WRONG[wrong]
    content = json.loads(_text(m2fp_folder))
    spoil(content)
    with pytest.raises(ModelError, match=said) as caught:
        read_configuration(json.dumps(content).encode(), "model/configuration.json")
    assert "model/configuration.json" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"m2fp"'])
def test_what_is_no_configuration_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"configuration\.json"):
        read_configuration(data, CONFIGURATION)


def test_persons_of_a_single_person_model_are_refused(m2fp_single_folder: Path) -> None:
    content = json.loads(_text(m2fp_single_folder))
    content["model"]["parsing_on"] = True
    with pytest.raises(ModelError, match="single-person"):
        read_configuration(json.dumps(content).encode(), CONFIGURATION)
