"""Attacked pictures on disk."""

from hashlib import sha256
from pathlib import Path

import numpy as np

from bench.detection.pictures.cache import (
    Cache,
    CraftedPicture,
    Facts,
    key_of,
    picture_digest,
    png_of,
)

IMAGE = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
PNG = png_of(IMAGE)
CRAFTED = CraftedPicture(Facts("pgd", "a", 0.5, True, 1.25, 7, sha256(PNG).hexdigest()), PNG)


def test_a_picture_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.find("pgd", "key") is None
    cache.store("pgd", "key", CRAFTED)
    found = cache.find("pgd", "key")
    assert found is not None
    assert (found.facts, found.png) == (CRAFTED.facts, PNG)
    assert np.array_equal(found.image(), IMAGE)
    assert len(list(tmp_path.rglob("*.*"))) == 2


def test_nothing_to_attack_is_remembered_without_a_file(tmp_path: Path) -> None:
    facts = Facts("pgd", "a", None, False, 0.0, 7, "")
    Cache(tmp_path).store("pgd", "key", CraftedPicture(facts, None))
    found = Cache(tmp_path).find("pgd", "key")
    assert found is not None
    assert (found.facts, found.png) == (facts, None)


def test_damaged_files_count_as_missing(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for suffix, content in ((".png", PNG[:-4]), (".json", b"{}"), (".json", b"{")):
        cache.store("pgd", "key", CRAFTED)
        (tmp_path / "attacks" / "pgd" / "key").with_suffix(suffix).write_bytes(content)
        assert cache.find("pgd", "key") is None


def test_what_took_long_is_computed_once(tmp_path: Path) -> None:
    calls = []

    def train() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        calls.append(1)
        return np.ones(3, dtype=np.float32)

    for _ in range(2):
        assert Cache(tmp_path).load_or_train("universal", "key", train).tolist() == [1, 1, 1]
    assert len(calls) == 1


def test_keys_tell_everything_apart() -> None:
    assert key_of("a", "bc") != key_of("ab", "c")
    assert picture_digest(IMAGE) != picture_digest(IMAGE.reshape(4, 3, 3))
