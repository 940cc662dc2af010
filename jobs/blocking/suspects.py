"""Pictures that were flagged as crafted, and ordinary ones: what a search for recurrence reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from detectors.parsing import Image
from detectors.patches.patch_search import different_pictures
from detectors.rule_book import ADVERSARIAL_PICTURE, TRIGGER_SUSPECTED
from jobs.blocking.picture_views import read_image
from jobs.context import JobContext, Skipped
from store.phrases import phrase_count
from store.requests.kept_pictures import KeptPicture, flagged_pictures, ordinary_pictures
from store.requests.picture_store import PictureStore

_RULES = (TRIGGER_SUSPECTED.code, ADVERSARIAL_PICTURE.code)
_LOOKED_BACK = timedelta(days=7)
# Whoever repeats one flagged picture, or sends many, must not hide what others sent.
_MAX_READ, _MAX_FLAGGED_OF_A_CLIENT = 120, 8
_MAX_ORDINARY, _MAX_OF_A_CLIENT = 100, 2


class NothingToCompare(Skipped):
    """There are too few pictures to say what recurs, or what is ordinary."""


@dataclass(frozen=True, eq=False)
class Suspect:
    """A flagged picture, and its pixels: RGB ``(h, w, 3)`` uint8."""

    picture: KeptPicture
    image: Image


def read_suspects(context: JobContext) -> list[Suspect]:
    """Flagged pictures of a week, newest first; of copies one, as they share all that they show."""
    with context.database.read() as session:
        since = context.now - _LOOKED_BACK
        pictures = flagged_pictures(session, _RULES, since, _MAX_READ, _MAX_FLAGGED_OF_A_CLIENT)
    by_file = {picture.sha256: picture for picture in reversed(pictures)}
    suspects = list(_read(context, reversed(by_file.values())))
    return [suspects[index] for index in different_pictures([each.image for each in suspects])]


def read_ordinary(context: JobContext, least: int, mistake: str) -> list[Image]:
    """Sampled pictures of a week's requests that passed, a few of each client.

    Raises:
        NothingToCompare: there are less than ``least``; ``mistake`` is what would be mistaken.
    """
    with context.database.read() as session:
        since = context.now - _LOOKED_BACK
        samples = ordinary_pictures(session, since, _MAX_ORDINARY, _MAX_OF_A_CLIENT)
    ordinary = [each.image for each in _read(context, samples)]
    if len(ordinary) < least:
        raise NothingToCompare(
            f"{phrase_count(len(ordinary), 'sampled picture')} of ordinary requests, a few of each "
            f"client, do not tell {mistake}: {least} do."
        )
    return ordinary


def _read(context: JobContext, pictures: Iterable[KeptPicture]) -> Iterable[Suspect]:
    store = PictureStore(context.settings.store.var_dir)
    for picture in pictures:
        image = read_image(store, picture)
        if image is not None:
            yield Suspect(picture, image)
