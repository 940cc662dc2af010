"""A model folder of transformers: what its files say, before a network is made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from detectors.label_lists import BACKGROUND, label_words
from inference.labels.label_table import MAX_LABELS, LabelTable
from inference.segmenters.described.description import Description
from inference.supply.errors import ModelError
from inference.supply.verified import VerifiedModel
from inference.toml_documents import Document, DocumentUnreadable, describe_faults, parse_toml

CONFIGURATION, GROUPS = "config.json", "segmenter.toml"
WEIGHTS_SUFFIX = ".safetensors"
_PREPROCESSOR, _PROCESSOR = "preprocessor_config.json", "processor_config.json"
_BACKGROUND_WORDS = frozenset((BACKGROUND, "bg", "back ground"))
_BYTE = 255


@dataclass(frozen=True)
class TransformersFiles:
    """What a verified folder says of its network.

    Attributes:
        configuration: of the network, as transformers reads it.
        weights: names of the files with tensors.
    """

    configuration: Mapping[str, Any]
    description: Description
    weights: tuple[str, ...]


class _OwnLabels(BaseModel):
    """The optional ``segmenter.toml``: what the labels of the configuration mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str = ""
    labels: dict[str, Any] = {}


def check_folder(path: Path) -> Path:
    """The folder, if it is one with weights that are tensors alone.

    Raises:
        ModelError: it is none, or its weights are of another format.
    """
    if not (path / CONFIGURATION).is_file():
        raise ModelError(
            f"The model folder {path} lacks {CONFIGURATION}: set MASKWATCH_MODEL to a folder as "
            "save_pretrained writes it. Nothing is downloaded."
        )
    if not any(path.glob(f"*{WEIGHTS_SUFFIX}")):
        raise ModelError(
            f"The model folder {path} holds no {WEIGHTS_SUFFIX} file: save the model again with "
            "save_pretrained. Other formats are not loaded."
        )
    return path


def read_folder(model: VerifiedModel) -> TransformersFiles:
    """Read a verified folder.

    Raises:
        ModelError: a file is damaged, asks for code of its own, or does not fit the others.
    """
    configuration = _read_json(model, CONFIGURATION)
    if "auto_map" in configuration:
        raise ModelError(
            f"The file {model.path / CONFIGURATION} asks for code of its own (auto_map), which is "
            "not run: export the model to ONNX."
        )
    labels = _read_labels(model, _list_labels(configuration, model.path / CONFIGURATION))
    files = (file.name for file in model.files if file.name.endswith(WEIGHTS_SUFFIX))
    description = _describe(model, labels)
    return TransformersFiles(configuration, description, tuple(files))


def _list_labels(configuration: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    """The names of ``id2label`` by their numbers."""
    names = configuration.get("id2label")
    if not isinstance(names, dict) or sorted(names) != sorted(map(str, range(len(names)))):
        raise ModelError(f"The file {file} has no id2label that names every label by its number.")
    if not 2 <= len(names) <= MAX_LABELS:
        raise ModelError(f"The file {file} names {len(names)} labels: 2 to {MAX_LABELS} are read.")
    return tuple(str(names[str(index)]) for index in range(len(names)))


def _read_labels(model: VerifiedModel, names: tuple[str, ...]) -> LabelTable:
    """The names with their groups; the optional table may call them otherwise."""
    file = model.path / GROUPS
    document: Document = {}
    try:
        if GROUPS in model.hashes:
            document = parse_toml(model.read(GROUPS))
        own = _OwnLabels.model_validate(document).labels
        is_renamed = "names" in own or "table" in own
        table = LabelTable.model_validate(own if is_renamed else {**own, "names": names})
    except DocumentUnreadable as fault:
        raise ModelError(f"The file {file} {fault}.") from None
    except ValidationError as error:
        where = f"file {file}" if GROUPS in model.hashes else f"file {model.path / CONFIGURATION}"
        kind = LabelTable if error.title == LabelTable.__name__ else _OwnLabels
        raise ModelError(
            " ".join(describe_faults(where, "a segmenter.toml", kind, document, error))
        ) from None
    _check_names(table, names, is_renamed=is_renamed, folder=model.path)
    return table


def _check_names(
    table: LabelTable, names: tuple[str, ...], *, is_renamed: bool, folder: Path
) -> None:
    if len(table.names) != len(names):
        raise ModelError(
            f"In the file {folder / GROUPS}, there are {len(table.names)} labels, and "
            f"{CONFIGURATION} has {len(names)}."
        )
    if not is_renamed and label_words(names[0]) not in _BACKGROUND_WORDS:
        raise ModelError(
            f"The first label of {folder / CONFIGURATION} is {names[0]!r}, and Maskwatch takes the "
            f"first for the background: if it is, say so by labels.names in {folder / GROUPS}."
        )


def _describe(model: VerifiedModel, labels: LabelTable) -> Description:
    logits = {"name": "logits", "values": "logits", "activation": "softmax"}
    document = {"input": _describe_input(model), "outputs": [logits], "labels": labels}
    try:
        return Description.model_validate(document)
    except ValidationError as error:
        raise ModelError(
            " ".join(
                describe_faults(
                    f"model folder {model.path}", "a description", Description, document, error
                )
            )
        ) from None


def _describe_input(model: VerifiedModel) -> Document:
    """How pictures are prepared; proportions are not kept, as these networks are trained."""
    name, settings = _read_preprocessor(model)
    try:
        width, height = _read_size(settings)
    except (KeyError, TypeError, ValueError):
        raise ModelError(
            f"The file {model.path / name} says no size to which pictures are brought."
        ) from None
    form: Document = {"size": [width, height], "white": _BYTE}
    if settings.get("do_rescale", True):
        form["white"] = _BYTE * settings.get("rescale_factor", 1 / _BYTE)
    if settings.get("do_normalize", True):
        form["mean"], form["deviation"] = settings.get("image_mean"), settings.get("image_std")
    return form


def _read_preprocessor(model: VerifiedModel) -> tuple[str, Mapping[str, Any]]:
    if _PREPROCESSOR in model.hashes:
        return _PREPROCESSOR, _read_json(model, _PREPROCESSOR)
    if _PROCESSOR in model.hashes:
        inner = _read_json(model, _PROCESSOR).get("image_processor")
        if isinstance(inner, dict):
            return _PROCESSOR, inner
    raise ModelError(
        f"The model folder {model.path} lacks {_PREPROCESSOR}, which says how pictures are "
        "prepared: save it with the model."
    )


def _read_size(settings: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height; Raises KeyError, TypeError or ValueError where there are none."""
    size = settings["crop_size"] if settings.get("do_center_crop") else settings["size"]
    if isinstance(size, dict) and "shortest_edge" in size:
        size = size["shortest_edge"]
    if isinstance(size, dict):
        return int(size["width"]), int(size["height"])
    return int(size), int(size)


def _read_json(model: VerifiedModel, name: str) -> dict[str, Any]:
    try:
        document = json.loads(model.read(name))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ModelError(f"The file {model.path / name} is no JSON object: get the model again.")
    return document
