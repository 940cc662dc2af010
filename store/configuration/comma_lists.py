"""Settings that are lists, written with commas."""

from typing import Annotated, TypeVar

from pydantic import BeforeValidator

Item = TypeVar("Item")


def split_list(value: object) -> object:
    """The parts of a comma-separated text; anything else as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


CommaList = Annotated[tuple[Item, ...], BeforeValidator(split_list)]
