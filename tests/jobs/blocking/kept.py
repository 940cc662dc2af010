"""Requests with kept pictures, stored together; and searches that both databases share."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple, TypeVar

from detectors.findings import Finding, Place, Rule
from detectors.parsing import Image
from detectors.patches.patches import Tile
from jobs.context import JobContext
from store.requests.picture_store import PICTURE, PictureStore
from store.requests.record_store import add_records
from tests.full_record import pictured_record

Subject = TypeVar("Subject", Image, Tile)
Choice = TypeVar("Choice")


class Sent(NamedTuple):
    """A picture as it is kept, who sent it, and where a finding is about."""

    file: bytes
    client: str
    place: Place | None = None


def keep_pictures(
    context: JobContext, rule: Rule, size: tuple[int, int], pictures: Sequence[Sent]
) -> list[str]:
    """Store a request of an hour ago for each picture; their ids."""
    store = PictureStore(context.settings.store.var_dir)
    at = context.now - timedelta(hours=1)
    records = [
        pictured_record(
            each.client,
            at,
            size,
            (store.put(PICTURE, each.file, "image/webp"),),
            () if each.place is None else (Finding(rule, {}, (each.place,)),),
        )
        for each in pictures
    ]
    with context.database.write() as session:
        assert add_records(session, records) == len(records)
    return [record.request_id for record in records]


def choose_once(
    choose: Callable[[Sequence[Subject], Sequence[Image]], tuple[Choice, ...]],
) -> Callable[[Sequence[Subject], Sequence[Image]], tuple[Choice, ...]]:
    """The same search, which remembers what it chose: several tests search the same pictures."""
    choices: dict[bytes, tuple[Choice, ...]] = {}

    def chosen(subjects: Sequence[Subject], ordinary: Sequence[Image]) -> tuple[Choice, ...]:
        key = _digest([*subjects, *ordinary])
        if key not in choices:
            choices[key] = choose(subjects, ordinary)
        return choices[key]

    return chosen


def _digest(pictures: Sequence[Image | Tile]) -> bytes:
    digest = sha256()
    for each in pictures:
        pixels, share = (each.pixels, each.share) if isinstance(each, Tile) else (each, 1.0)
        digest.update(f"{pixels.shape} {share}".encode())
        digest.update(pixels.tobytes())
    return digest.digest()
