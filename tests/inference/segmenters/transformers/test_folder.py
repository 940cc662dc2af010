"""A folder of transformers: tensors alone, no code, labels that mean something."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from structlog.testing import capture_logs

from inference.segmenters.transformers.folder import check_folder
from inference.supply.errors import ModelError
from inference.supply.verified import open_model
from tests.inference.segmenters.foreign_models import write_segformer

pytest.importorskip("transformers", reason="transformers is not installed")

from inference.segmenters.transformers.segmenter import load_transformers

CPU = torch.device("cpu")
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_segformer(tmp_path / "segformer")


def _fault(folder: Path) -> str:
    with pytest.raises(ModelError) as error:
        load_transformers(open_model(check_folder(folder)), CPU)
    said = str(error.value)
    assert said.isprintable()
    assert said.endswith(".")
    return said


def _rewrite(folder: Path, change: Change, name: str = "config.json") -> None:
    document = json.loads((folder / name).read_text())
    change(document)
    (folder / name).write_text(json.dumps(document))


def test_names_come_from_the_configuration(folder: Path) -> None:
    with capture_logs() as lines:
        segmenter = load_transformers(open_model(folder), CPU)
    assert segmenter.name == "transformers"
    assert segmenter.labels == ("background", "face", "hat", "tail")
    (line,) = [line for line in lines if line["event"] == "labels without a part group"]
    assert line["labels"] == ("tail",)


def test_a_table_gives_groups_and_may_give_names(folder: Path) -> None:
    (folder / "segmenter.toml").write_text('[labels]\ngroups = { tail = "other" }\n')
    parsing = load_transformers(open_model(folder), CPU).parse(np.zeros((9, 9, 3), np.uint8))
    assert parsing.parts == ("background", "Face", "Hat", "other")
    (folder / "segmenter.toml").write_text('[labels]\nnames = ["x", "hair", "arm", "leg"]\n')
    assert load_transformers(open_model(folder), CPU).labels[1:] == ("hair", "arm", "leg")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ('[labels]\ngroups = { tail = "tale" }', "groups.tail is not usable: input should be"),
        (
            '[labels]\ngroups = { tale = "other" }',
            "labels that are not in names: tale",
        ),
        ('[labels]\ntable = "atr"', "there are 18 labels, and config.json has 4."),
        ('[label]\ntable = "atr"', "label is not a key that a segmenter.toml has (the nearest is"),
        ("[labels", "is no TOML"),
    ],
)
def test_a_fault_of_the_table_is_said(folder: Path, table: str, sentence: str) -> None:
    (folder / "segmenter.toml").write_text(table)
    said = _fault(folder)
    assert sentence in said
    assert "segmenter.toml" in said


def _doubled(names: Mapping[str, str]) -> Change:
    return lambda document: document["id2label"].update(names)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda document: document.update(auto_map={"AutoModel": "x.Y"}),
            "code of its own (auto_m",
        ),
        (lambda document: document.pop("id2label"), "has no id2label that names every label"),
        (lambda document: document["id2label"].pop("2"), "has no id2label that names every label"),
        (_doubled({"2": "Face"}), "a label name stands twice"),
        (_doubled({"2": "face"}), "two labels differ in nothing but their spelling"),
        (_doubled({"0": "wall"}), "is 'wall', and Maskwatch takes the first for the background"),
        (lambda document: document.update(model_type="bert"), "has no semantic segmentation for"),
        (lambda document: document.update(model_type="no such"), "has no semantic segmentation fo"),
        (lambda document: document.update(model_type=7), "has no semantic segmentation for"),
        (lambda document: document.update(hidden_sizes=[8, 8, 8, 8]), "cannot be built: its con"),
        (
            lambda document: document.update(depths=[2, 1, 1, 1]),
            "does not fit its weights (missing",
        ),
        (lambda document: document.update(hidden_sizes="x"), "configuration and weights belong to"),
        (lambda document: document["id2label"].update({"4": "leg"}), "cannot be built: its conf"),
    ],
)
def test_a_fault_of_the_configuration_is_said(folder: Path, change: Change, sentence: str) -> None:
    _rewrite(folder, change)
    assert sentence in _fault(folder)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.json", "{", "config.json is no JSON object"),
        ("config.json", "[]", "config.json is no JSON object"),
        ("preprocessor_config.json", "{}", "says no size to which pictures are brought"),
        ("preprocessor_config.json", '{"size": {"longest_edge": 5}}', "says no size to which"),
        ("model.safetensors", "x", "model.safetensors is damaged or no safetensors file"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, name: str, content: str, sentence: str) -> None:
    (folder / name).write_text(content)
    assert sentence in _fault(folder)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("config.json", "lacks config.json: set MASKWATCH_MODEL to a folder as save_pretrained"),
        ("model.safetensors", "holds no .safetensors file"),
        ("preprocessor_config.json", "lacks preprocessor_config.json, which says how pictures"),
    ],
)
def test_a_missing_file_is_named(folder: Path, name: str, sentence: str) -> None:
    (folder / name).unlink()
    assert sentence in _fault(folder)


def test_a_pickle_is_not_loaded_instead_of_tensors(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    assert "Other formats are not loaded" in _fault(folder)


def test_a_weight_in_two_files_is_refused(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "more.safetensors").write_bytes(whole)
    assert "in two files" in _fault(folder)


def test_pictures_are_prepared_as_the_folder_says(folder: Path) -> None:
    form = load_transformers(open_model(folder), CPU).description.input
    assert (form.size, form.mean[0]) == ((64, 96), 0.485)
    assert form.white == pytest.approx(1)

    def inner(document: dict[str, Any]) -> None:
        document.clear()
        settings = {"size": 32, "do_rescale": False, "do_normalize": False}
        document["image_processor"] = settings

    _rewrite(folder, inner, "preprocessor_config.json")
    (folder / "preprocessor_config.json").rename(folder / "processor_config.json")
    form = load_transformers(open_model(folder), CPU).description.input
    assert (form.size, form.white, form.mean[0]) == ((32, 32), 255, 0)
