"""Settings in words and in TOML: what the generated page and the commented file say of them."""

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from inference.gate.policy import Action

_KINDS: dict[type[Any], str] = {
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    Path: "path",
    SecretStr: "secret text",
    str: "text",
}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def meaning_of(field: FieldInfo) -> str:
    """What a setting does, on one line."""
    return " ".join((field.description or "").split())


def default_in_words(field: FieldInfo) -> str:
    """The default of a setting; where the machine decides, the words of what computes it."""
    if is_computed(field):
        return (field.default_factory.__doc__ or "").strip().rstrip(".").lower()
    value: object = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return "none" if value is None or value in ("", {}) else f"`{value}`"


def is_computed(field: FieldInfo) -> bool:
    """Whether the machine decides what the default is."""
    return field.default_factory not in (None, dict)


def values_in_words(field: FieldInfo) -> str:
    """The type and bounds of a setting."""
    kinds = [_kind(each) for each in _alternatives(field.annotation) if each is not NoneType]
    bounds = [
        f"{word} {getattr(bound, name)}"
        for bound in field.metadata
        for name, word in _BOUNDS.items()
        if hasattr(bound, name)
    ]
    return ", ".join([" or ".join(dict.fromkeys(kinds)), *bounds])


def toml_value(value: object) -> str:
    """A JSON value as TOML has it.

    >>> toml_value(["a", 1, True]), toml_value({"blank": "flag"})
    ('["a", 1, true]', '{"blank" = "flag"}')
    """
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(key)} = {toml_value(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _kind(annotation: Any) -> str:
    if annotation == dict[str, Action]:
        return "list of `rule=action`"
    if get_origin(annotation) in (tuple, list, set, frozenset):
        inner = [each for each in get_args(annotation) if each is not Ellipsis]
        return "list of " + " or ".join(_kind(e) for each in inner for e in _alternatives(each))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    return _KINDS.get(annotation, str(getattr(annotation, "__name__", annotation)))
