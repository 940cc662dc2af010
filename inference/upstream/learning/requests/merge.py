"""Puts together what several requests at one route showed."""

from collections.abc import Iterable

from inference.upstream.presets.preset import PicturePlace

_Key = tuple[str, str]


def merge_places(places: Iterable[PicturePlace]) -> tuple[PicturePlace, ...]:
    """One place for each kind of body and of coding, which takes what any of them took."""
    merged: dict[_Key, PicturePlace] = {}
    for place in places:
        key = _key_of(place)
        merged[key] = _merge(merged[key], place) if key in merged else place
    return tuple(merged.values())


def _key_of(place: PicturePlace) -> _Key:
    is_text = place.coding in ("base64", "data_url", "either")
    return place.body, "text" if is_text else place.coding


def _merge(one: PicturePlace, other: PicturePlace) -> PicturePlace:
    return one.model_copy(
        update={
            "names": tuple(dict.fromkeys((*one.names, *other.names))),
            "coding": one.coding if one.coding == other.coding else "either",
            "alphabet": one.alphabet if one.alphabet == other.alphabet else "either",
            "is_lenient": one.is_lenient or other.is_lenient,
            "max_pictures": max(one.max_pictures, other.max_pictures),
        }
    )
