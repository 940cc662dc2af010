"""Places in a JSON document: every text with where it stands, and patterns of such places."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inference.refusals import NOT_JSON, Refused

Pointer = tuple[str | int, ...]


@dataclass(frozen=True)
class JsonText:
    """A text in a document.

    Attributes:
        parent: the object in which it is a member; empty where it is in a list.
    """

    place: Pointer
    text: str
    parent: Mapping[str, Any]


def list_texts(value: object, depth: int, place: Pointer = ()) -> Iterator[JsonText]:
    """Every text in an object or a list, in its order.

    Args:
        depth: how many objects and lists may stand in each other.

    Raises:
        Refused: there are more.
    """
    if depth == 0:
        raise Refused(NOT_JSON)
    parent = value if isinstance(value, dict) else {}
    for step, member in _list_members(value):
        if isinstance(member, str):
            yield JsonText((*place, step), member, parent)
        elif isinstance(member, list | dict):
            yield from list_texts(member, depth - 1, (*place, step))


def _list_members(value: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def fits_pointer(pattern: str, place: Pointer) -> bool:
    """Whether a place fits a JSON pointer, in which ``*`` is one step and ``**`` all that follow.

    >>> [fits_pointer("/data/*/url", place) for place in (("data", 0, "url"), ("data", "url"))]
    [True, False]
    >>> fits_pointer("/data/**", ("data", 0, "url"))
    True
    """
    steps = pattern.split("/")[1:]
    if steps[-1] == "**":
        steps, place = steps[:-1], place[: len(steps) - 1]
    return len(steps) == len(place) and all(map(_fits_step, steps, place))


def write_pointer(place: Pointer) -> str:
    """The JSON pointer of a place.

    >>> write_pointer(("data", 0, "a/b"))
    '/data/0/a~1b'
    """
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in place)


def put_value(document: Any, place: Pointer, value: object) -> Any:
    """A copy of a document with another value at a place; what is beside the way is shared."""
    if not place:
        return value
    copy = document.copy()
    copy[place[0]] = put_value(copy[place[0]], place[1:], value)
    return copy


def _fits_step(pattern: str, step: str | int) -> bool:
    return pattern == "*" or pattern.replace("~1", "/").replace("~0", "~") == str(step)
