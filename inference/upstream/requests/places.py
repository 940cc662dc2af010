"""How many pictures a body must and may hold."""

from collections.abc import Sequence

from inference.refusals import NO_PICTURE, TOO_MANY_PICTURES, Refused
from inference.upstream.presets.preset import PicturePlace


def check_counts(places: Sequence[PicturePlace], occupied: Sequence[PicturePlace]) -> None:
    """Compare what was sent with what a door's places allow.

    Args:
        places: of one kind of body.
        occupied: the place of each picture.

    Raises:
        Refused: a place has too many, or the body fewer than the least that a place asks for.
    """
    check_most(occupied)
    if len(occupied) < min(place.min_pictures for place in places):
        raise Refused(NO_PICTURE)


def check_most(occupied: Sequence[PicturePlace]) -> None:
    """The upper bounds alone, for readers that are not at the end yet.

    Raises:
        Refused: a place has too many pictures.
    """
    if any(occupied.count(place) > place.max_pictures for place in occupied):
        raise Refused(TOO_MANY_PICTURES)
