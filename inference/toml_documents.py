"""Reads TOML files that people write, and says every fault in a sentence with file and key."""

import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Document = dict[str, Any]


class DocumentUnreadable(Exception):
    """Bytes that are no TOML; ``str()`` says why, as the end of a sentence."""


def parse_toml(data: bytes) -> Document:
    """The document of a file's bytes.

    Raises:
        DocumentUnreadable: they are no TOML.
    """
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise DocumentUnreadable("is no text in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DocumentUnreadable(f"is no TOML: {error}") from None


def describe_faults(
    file: str, noun: str, model: type[BaseModel], document: Document, error: ValidationError
) -> tuple[str, ...]:
    """A sentence for every fault.

    Args:
        file: what was read and where it is, as it stands after "In the".
        noun: what the document describes, with its article: ``a preset``.
        model: what the document was checked against.
    """
    keys = _list_keys(model)
    return tuple(
        f"In the {file}, {_describe_fault(noun, keys, document, fault)}."
        for fault in _list_faults(error)
    )


def _describe_fault(noun: str, keys: set[str], document: Document, fault: ErrorDetails) -> str:
    key = _name_key(document, fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{key} is not a key that {noun} has{_name_near_key(fault['loc'][-1], keys)}"
    if fault["type"] == "missing":
        return f"{key} is missing"
    reason = fault["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{key} is not usable: {reason[:1].lower()}{reason[1:]}"


def _list_faults(error: ValidationError) -> list[ErrorDetails]:
    """Every fault; a list is not called short because of faults in its members."""
    faults = error.errors(include_input=False, include_context=False, include_url=False)
    deeper = {fault["loc"][:end] for fault in faults for end in range(len(fault["loc"]))}
    return [f for f in faults if f["type"] != "too_short" or f["loc"] not in deeper]


def _list_keys(model: type[BaseModel]) -> set[str]:
    """Every key that a document may have, at whatever depth."""
    return set(_walk_keys(model.model_json_schema()))


def _walk_keys(schema: object) -> Iterator[str]:
    if isinstance(schema, list):
        for member in schema:
            yield from _walk_keys(member)
    if isinstance(schema, dict):
        properties = schema.get("properties")
        yield from properties if isinstance(properties, dict) else ()
        for member in schema.values():
            yield from _walk_keys(member)


def _name_near_key(key: int | str, keys: set[str]) -> str:
    near = get_close_matches(str(key), sorted(keys), n=1)
    return f" (the nearest is {near[0]})" if near else ""


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
