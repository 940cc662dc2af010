"""What values a setting takes, in words: for the reference, and for whoever gave another one."""

from collections.abc import Iterable, Iterator
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

_NETWORK = "network such as `10.0.0.0/8`"
_KINDS: dict[Any, str] = {
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    Path: "path",
    SecretStr: "secret text",
    str: "text",
    IPv4Network: _NETWORK,
    IPv6Network: _NETWORK,
}
_PLURALS = {"path": "paths", "text": "texts", _NETWORK: _NETWORK.replace("network", "networks")}
_WITH_ARTICLE = ("whole number", "number", "path", "network", "list")
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_LISTS = (tuple, list, set, frozenset)


def values_in_words(field: FieldInfo) -> str:
    """The kind and bounds of a setting."""
    kinds = _alternatives(field.annotation)
    bounds = (each for bound in field.metadata for each in _bounds(bound, is_list=_is_list(field)))
    return ", ".join([_either(_kind(each) for each in kinds) + _such_as(field), *bounds])


def requirement(field: FieldInfo) -> str:
    """The same with an article, as it stands behind "it must be"."""
    return _add_article(values_in_words(field))


def entry_requirement(field: FieldInfo) -> str:
    """What an entry of a list must be."""
    return _add_article(_either(_kind(each) for each in _entries(field.annotation)))


def _add_article(words: str) -> str:
    return f"a {words}" if words.startswith(_WITH_ARTICLE) else words


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The types that a value may have, without the wrapping of validators and without none."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(each for each in get_args(annotation) if each is not NoneType)
    return (annotation,)


def _entries(annotation: Any) -> tuple[Any, ...]:
    inner = (each for each in get_args(annotation) if each is not Ellipsis)
    return tuple(alternative for each in inner for alternative in _alternatives(each))


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) in _LISTS


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is dict:
        return "list of `rule=action`"
    if get_origin(annotation) in _LISTS:
        words = _either(_kind(each) for each in _entries(annotation))
        return f"list of {_PLURALS.get(words, words)}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _either(f"`{member.value}`" for member in annotation)
    return _KINDS.get(annotation, str(getattr(annotation, "__name__", annotation)))


def _such_as(field: FieldInfo) -> str:
    if not field.examples:
        return ""
    return f" such as {_either(f'`{example}`' for example in field.examples)}"


def _bounds(bound: object, *, is_list: bool) -> Iterator[str]:
    for name, word in _BOUNDS.items():
        if hasattr(bound, name):
            yield f"{word} {getattr(bound, name)}"
    length = getattr(bound, "min_length", None)
    if length is not None:
        noun = "entries" if is_list else "characters"
        yield "not empty" if length == 1 else f"at least {length} {noun}"


def _either(words: Iterable[str]) -> str:
    """Each word once: ``a``, ``a or b``, ``a, b or c``.

    >>> _either("abbc")
    'a, b or c'
    """
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} or {last}" if first else last
