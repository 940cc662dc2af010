"""The rows that poison is tried on: of a deployment that was played, and of attacked pictures."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from bench.deployment.attackable import open_target
from bench.deployment.attacked import attack_photos
from bench.deployment.play import Place, snapshot_of
from bench.deployment.poison import Features, Rows, usable
from bench.detection.observe import Observer, observer
from bench.detection.pictures.photos import Photo
from detectors.baseline.sample import SampleRow
from store.baselines.sample_rows import list_sampled_sources, read_sample
from store.engine.start import open_database
from store.settings import StoreSettings

_EVER = datetime(2026, 1, 1, tzinfo=UTC)
_MOST = 4_000
# Of the clean rows, by family: so many parts of all are for false alarms.
_PARTS = 4


def read_rows(place: Place, count: int, cache: Path, people: Sequence[Photo], attacks: int) -> Rows:
    """Rows of a checkpoint, and of attacks: those on every second photo are sent, others sought.

    Raises:
        PhotosMissing: attacks have to learn from photos that are not there.
    """
    sample = _read_sample(snapshot_of(place, count))
    tests = [row for row in sample if _is_test(row)]
    with observer(cache) as watcher:
        pairs = list(_observe(watcher, place, cache, people, attacks))
    names = sorted({photo for photo, _, _ in pairs})
    sent = set(names[1::2])
    return Rows(
        [usable(row.features) for row in sample if not _is_test(row)],
        [usable(row.features) for row in tests],
        [(clean, attacked) for photo, clean, attacked in pairs if photo in sent],
        [attacked for photo, _, attacked in pairs if photo not in sent],
    )


def _observe(
    watcher: Observer, place: Place, cache: Path, photos: Sequence[Photo], attacks: int
) -> Iterator[tuple[str, Features, Features]]:
    """The name of a photo, what it shows, and its successful attack, with all looks taken."""
    files = {photo.name: photo.path.read_bytes() for photo in photos}
    target = open_target(place)
    for attempts in attack_photos(target, place.data, cache, photos, attacks):
        for file in attempts.files:
            clean = watcher.observe(files[file.photo]).features
            yield file.photo, usable(clean), usable(watcher.observe(file.content).features)


def _read_sample(snapshot: Path) -> list[SampleRow]:
    database = open_database(StoreSettings(var_dir=snapshot))
    try:
        with database.read() as session:
            (source,) = list_sampled_sources(session)
            return read_sample(session, source, _EVER, _MOST)
    finally:
        database.close()


def _is_test(row: SampleRow) -> bool:
    return sha256(row.family.encode()).digest()[0] % _PARTS == 0
