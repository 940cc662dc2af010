"""Reads presets from TOML files: those that come with Maskwatch, and people's own."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from detectors.errors import MaskwatchError
from inference.upstream.presets.preset import Preset

_FOLDER = Path(__file__).parent
_SUFFIX = ".toml"


class PresetError(MaskwatchError):
    """A preset that cannot be worked with: a sentence for each fault, which names file and key."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def load_preset(source: str) -> Preset:
    """The preset of a name that is shipped, or of a TOML file.

    Args:
        source: a name as :func:`list_preset_files` has it, or the path of a file, which ends in
            ``.toml``.

    Raises:
        PresetError: there is no such preset, or something in it is wrong.
    """
    return read_preset(find_preset_file(source))


def find_preset_file(source: str) -> Path:
    """Where a preset stands; a path is not looked at.

    Raises:
        PresetError: no preset of that name is shipped.
    """
    if source.endswith(_SUFFIX):
        return Path(source)
    files = {path.stem: path for path in list_preset_files()}
    if source not in files:
        raise PresetError(
            f"There is no preset {source!r}: take {', '.join(files)}, or the path of a file that "
            f"ends in {_SUFFIX}."
        )
    return files[source]


def list_preset_files() -> tuple[Path, ...]:
    """The files of the presets that come with Maskwatch, in the order of their names."""
    return tuple(sorted(_FOLDER.glob(f"*{_SUFFIX}")))


def read_preset(path: Path) -> Preset:
    """The preset of a file.

    Raises:
        PresetError: it cannot be read, or something in it is wrong.
    """
    document = _read_toml(path)
    try:
        return Preset.model_validate(document)
    except ValidationError as error:
        raise PresetError(
            *(_describe_fault(path, document, fault) for fault in _list_faults(error))
        ) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise PresetError(f"The preset {path} cannot be read: {why}.") from None
    except UnicodeDecodeError:
        raise PresetError(f"The preset {path} is no text in UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PresetError(f"The preset {path} is no TOML: {error}.") from None


def _list_faults(error: ValidationError) -> list[ErrorDetails]:
    """Every fault; a list is not called short because of faults in its members."""
    faults = error.errors(include_input=False, include_context=False, include_url=False)
    deeper = {fault["loc"][:end] for fault in faults for end in range(len(fault["loc"]))}
    return [f for f in faults if f["type"] != "too_short" or f["loc"] not in deeper]


def _describe_fault(path: Path, document: dict[str, Any], fault: ErrorDetails) -> str:
    key = _name_key(document, fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"In the preset {path}, {key} is not a key that a preset has."
    if fault["type"] == "missing":
        return f"In the preset {path}, {key} is missing."
    reason = fault["msg"].removeprefix("Value error, ").rstrip(".")
    return f"In the preset {path}, {key} is not usable: {reason[:1].lower()}{reason[1:]}."


def _name_key(document: object, location: tuple[int | str, ...]) -> str:
    """The place of a fault as people write it in TOML; the whole file where it has none.

    >>> _name_key({"doors": [{"answer": {"kind": "tensors"}}]}, ("doors", 0, "answer", "tensors"))
    'doors[0].answer'
    """
    key, value = "", document
    for step in location:
        if isinstance(value, dict) and value.get("kind") == step:
            continue  # pydantic names the kind that it read the table as
        key += f"[{step}]" if isinstance(step, int) else f".{step}"
        value = _take_step(value, step)
    return key.removeprefix(".") or "the file"


def _take_step(value: object, step: int | str) -> object:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
