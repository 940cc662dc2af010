"""Crafts attacked pictures, or takes them from the cache."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from bench.detection.attacks.base import Attack, Craft, Learnt
from bench.detection.cache import Cache, Crafted, Facts, key_of, picture_digest, png_of
from bench.detection.pictures import Photo, Use, load, photos
from detectors.parsing import Image
from inference.segmenters.reference.training.segmenter import TorchSegmenter


@dataclass(frozen=True, eq=False)
class FitPhotos:
    """Lets attacks learn from ``fit`` photos; see :class:`bench.detection.attacks.base.Trainer`."""

    data: Path
    cache: Cache
    segmenter: TorchSegmenter

    def fit_photos(self, count: int) -> Sequence[Image]:
        """Photos at equal distances in the list of all fit photos."""
        return [load(photo) for photo in spread(photos(self.data, Use.FIT), count)]

    def once(self, name: str, settings: str, train: Callable[[], Learnt]) -> Learnt:
        """Kept under the segmenter's digest and the settings."""
        return self.cache.learnt(name, key_of(settings, self.segmenter.digest), train)


@dataclass(frozen=True, eq=False)
class Workshop:
    """A segmenter to attack, and where the results are kept."""

    segmenter: TorchSegmenter
    cache: Cache
    data: Path
    _trained: dict[str, Craft] = field(default_factory=dict)

    def crafted(self, attack: Attack, image: Image) -> Crafted:
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
        found = self.cache.find(attack.name, key)
        if found is None:
            found = self._craft(attack, image)
            self.cache.store(attack.name, key, found)
        return found

    def _craft(self, attack: Attack, image: Image) -> Crafted:
        digest = picture_digest(image)
        seed = seed_of(digest, attack.name)
        if not attack.goal.attackable(self.segmenter, image):
            return Crafted(Facts(attack.name, digest, None, False, 0.0, seed, ""), None)
        craft = self._craft_of(attack)
        start = perf_counter()
        attacked = craft(self.segmenter, image, seed)
        seconds = perf_counter() - start
        reached = attack.goal.reached(self.segmenter, image, attacked)
        png = png_of(attacked)
        succeeded = reached >= attack.goal.needed
        facts = Facts(
            attack.name, digest, reached, succeeded, seconds, seed, sha256(png).hexdigest()
        )
        return Crafted(facts, png)

    def _craft_of(self, attack: Attack) -> Craft:
        if attack.name not in self._trained:
            trainer = FitPhotos(self.data, self.cache, self.segmenter)
            self._trained[attack.name] = attack.trained(self.segmenter, trainer)
        return self._trained[attack.name]


def seed_of(picture: str, attack: str) -> int:
    """The seed of an attack on the picture with this digest, below 2**63."""
    return int.from_bytes(sha256(f"{picture} {attack}".encode()).digest()[:8]) >> 1


def spread(listed: Sequence[Photo], count: int) -> list[Photo]:
    """``count`` photos at equal distances, or all where there are fewer."""
    if count >= len(listed):
        return list(listed)
    return [listed[place * len(listed) // count] for place in range(count)]
