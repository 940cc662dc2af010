"""Why a value cannot be used, in words of our own: pydantic's are for programmers."""

from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from store.configuration.kinds import entry_requirement, requirement
from store.configuration.names import PREFIX

_OF_OUR_OWN = "value_error"


def wrong_kind() -> PydanticCustomError:
    """The error of a validator to which a value is of another kind than the setting."""
    return PydanticCustomError("wrong_kind", "of another kind")


def describe_fault(field: FieldInfo, problem: ErrorDetails, path: tuple[int | str, ...]) -> str:
    """The end of a sentence about a setting, without its full stop.

    Args:
        problem: as pydantic tells it, with what was given.
        path: where in the value it lies; nothing for the value as a whole.
    """
    if problem["type"] == _OF_OUR_OWN:
        return _begin_small(problem["msg"].removeprefix("Value error, ").rstrip("."))
    if path and isinstance(path[0], int):
        return f"its entry {_shorten(problem['input'])} must be {entry_requirement(field)}"
    return f"it must be {requirement(field)}"


def _begin_small(message: str) -> str:
    return message if message.startswith(PREFIX) else message[:1].lower() + message[1:]


def _shorten(entry: Any) -> str:
    """What was given, on one line; nothing in a list is secret."""
    return f"{entry!r:.80}"
