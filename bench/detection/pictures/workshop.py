"""Crafts attacked pictures, or takes them from the cache."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from bench.detection.attacks.base import Attack, Craft, Perturbation
from bench.detection.pictures.cache import (
    Cache,
    CraftedPicture,
    Facts,
    key_of,
    picture_digest,
    png_of,
)
from bench.detection.pictures.photos import Photo, Use, load, photos
from detectors.parsing import Image
from inference.segmenters.reference.training.attacks import Attackable


@dataclass(frozen=True, eq=False)
class FitPhotos:
    """Lets attacks learn from ``fit`` photos; see :class:`bench.detection.attacks.base.Trainer`."""

    data: Path
    cache: Cache
    segmenter: Attackable

    def fit_photos(self, count: int) -> Sequence[Image]:
        """Photos at equal distances in the list of all fit photos."""
        return [load(photo) for photo in spread(photos(self.data, Use.FIT), count)]

    def once(self, name: str, settings: str, train: Callable[[], Perturbation]) -> Perturbation:
        """Kept under the segmenter's digest and the settings."""
        return self.cache.load_or_train(name, key_of(settings, self.segmenter.digest), train)


@dataclass(frozen=True, eq=False)
class Workshop:
    """A segmenter to attack, and where the results are kept."""

    segmenter: Attackable
    cache: Cache
    data: Path
    _crafts: dict[str, Craft] = field(default_factory=dict)

    def craft_picture(self, attack: Attack, image: Image) -> CraftedPicture:
        """The attack on one picture: from the cache, or made and kept now.

        Raises:
            PhotosMissing: the attack has to learn from photos that are not there.
            LibraryMissing: the attack needs a library that is not installed.
        """
        key = key_of(
            picture_digest(image),
            attack.name,
            attack.settings,
            str(attack.version),
            self.segmenter.digest,
        )
        picture = self.cache.find(attack.name, key)
        if picture is None:
            picture = self._craft(attack, image)
            self.cache.store(attack.name, key, picture)
        return picture

    def _craft(self, attack: Attack, image: Image) -> CraftedPicture:
        digest = picture_digest(image)
        seed = seed_of(digest, attack.name)
        if not attack.goal.is_attackable(self.segmenter, image):
            return CraftedPicture(Facts(attack.name, digest, None, False, 0.0, seed, ""), None)
        craft = self._craft_of(attack)
        start = perf_counter()
        result = craft(self.segmenter, image, seed)
        seconds = perf_counter() - start
        share = attack.goal.measure_share(self.segmenter, image, result)
        png = png_of(result)
        is_success = share >= attack.goal.min_share
        facts = Facts(
            attack.name, digest, share, is_success, seconds, seed, sha256(png).hexdigest()
        )
        return CraftedPicture(facts, png)

    def _craft_of(self, attack: Attack) -> Craft:
        if attack.name not in self._crafts:
            trainer = FitPhotos(self.data, self.cache, self.segmenter)
            self._crafts[attack.name] = attack.prepare_craft(self.segmenter, trainer)
        return self._crafts[attack.name]


def seed_of(picture: str, attack: str) -> int:
    """The seed of an attack on the picture with this digest, below 2**63."""
    return int.from_bytes(sha256(f"{picture} {attack}".encode()).digest()[:8]) >> 1


def spread(all_photos: Sequence[Photo], count: int) -> list[Photo]:
    """``count`` photos at equal distances, or all where there are fewer."""
    if count >= len(all_photos):
        return list(all_photos)
    return [all_photos[place * len(all_photos) // count] for place in range(count)]
