"""Settings in words and in TOML: what the generated page and the commented file say of them."""

import json
from collections.abc import Mapping
from enum import Enum

from pydantic.fields import FieldInfo


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
