"""What a model folder says of its network, checked before anything is built."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.supply.errors import ModelError

CONFIGURATION = "configuration.json"
TASK, MODEL_TYPE = "image-segmentation", "m2fp"
_DEPTHS = (50, 101, 152)
_BACKGROUND = "background"


@dataclass(frozen=True)
class M2FPConfiguration:
    """A model folder's ``configuration.json``.

    Attributes:
        network: keyword arguments of ModelScope's ``M2FP``, weights and type left out.
        labels: names of the pixel labels, as they stand in the file; index 0 is the background.
        person_class: index of the class that stands for a whole person; ``None`` if the model
            parses one person.
        input_size: width and height of a single-person model's input; ``None`` for several persons.
        person_threshold: score from which a person counts.
    """

    network: Mapping[str, Any]
    labels: tuple[str, ...]
    person_class: int | None
    input_size: tuple[int, int] | None
    person_threshold: float


def read_configuration(data: bytes, path: str) -> M2FPConfiguration:
    """Read and check.

    Args:
        path: names the file in errors.

    Raises:
        ModelError: it is no JSON, not of an M2FP model, or its label list does not fit its network.
    """
    try:
        document = json.loads(data)
        model = document["model"]
        _check_kind(document, model, path)
        return _read_model(model, path)
    except ValueError:
        raise ModelError(f"The file {path} is no JSON: download the model again.") from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ModelError(
            f"The file {path} lacks something that an M2FP model needs ({error}): download the "
            "model again."
        ) from None


def _check_kind(document: Mapping[str, Any], model: Mapping[str, Any], path: str) -> None:
    kind, task = model["type"], document["task"]
    if kind != MODEL_TYPE or task != TASK:
        raise ModelError(
            f"The file {path} describes a {kind!r} model for {task!r}: Maskwatch needs "
            f"{MODEL_TYPE!r} for {TASK!r}. Check MASKWATCH_MODEL."
        )
    if model["decoder"]["pre_norm"]:
        raise ModelError(f"The file {path} asks for pre_norm, which no published M2FP model has.")
    depth = model["backbone"]["depth"]
    if depth not in _DEPTHS:
        raise ModelError(
            f"The file {path} asks for a ResNet of depth {depth!r}: known are 50, 101."
        )


def _read_model(model: Mapping[str, Any], path: str) -> M2FPConfiguration:
    classes, single = [str(name) for name in model["classes"]], bool(model["single_human"])
    _check_labels(classes, int(model["decoder"]["num_classes"]), path)
    several = None if single else int(model["num_parsing"])
    if several is not None and several != len(classes) - 1:
        raise ModelError(
            f"The file {path} names {len(classes)} classes, and num_parsing is {several}: a model "
            "for several persons has its parts first and the whole person last."
        )
    if single and bool(model.get("parsing_on", False)):
        raise ModelError(f"The file {path} asks for persons of a single-person model.")
    return M2FPConfiguration(
        network={k: v for k, v in model.items() if k not in {"type", "pretrained", "model_dir"}},
        labels=tuple(classes[:several]),
        person_class=several,
        input_size=_size(model["input_single_human"]["sizes"][0]) if single else None,
        person_threshold=float(model.get("parsing_ins_score_thr", 0.5)),
    )


def _check_labels(classes: Sequence[str], outputs: int, path: str) -> None:
    """Before a picture is parsed: names that do not fit would swap faces and feet unnoticed."""
    if len(classes) != outputs:
        raise ModelError(
            f"The file {path} names {len(classes)} classes for a network with {outputs}: label "
            "list and weights belong to different models."
        )
    if not classes or classes[0].lower() != _BACKGROUND:
        raise ModelError(f"The label list in {path} does not begin with the background.")
    if len(set(classes)) < len(classes) or len(classes) > 256:
        raise ModelError(f"The label list in {path} has a name twice, or more than 256 of them.")


def _size(sides: Sequence[Any]) -> tuple[int, int]:
    width, height = (int(side) for side in sides)
    if not (32 <= width <= 4096 and 32 <= height <= 4096):
        raise ValueError
    return width, height
