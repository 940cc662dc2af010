"""Black-box searches: each yields the pictures that it asks about, and learns from the answers.

All of them see the masks alone, as a client of the service does: the oracle says which share of the
clean foreground has another label. Every query is an 8-bit picture.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from bench.detection.probing.peer import Blacklight
from bench.detection.probing.streams import round_pixels, through_jpeg
from detectors.parsing import Image
from inference.segmenters.reference.training.attacks import square_search

Oracle = Callable[[Image], float]
"""Share of the clean foreground that a picture's parse calls something else."""

Attack = Callable[[Image, Oracle, np.random.Generator], Iterator[Image]]

_EPSILON = 8
_BUDGET = 1000
"""Queries that an attacker plans for: a schedule for the bench's few would betray it."""
SUCCESS = 0.2
_TRIES, _WIDEST = 4, 12.0


def square(
    image: Image, oracle: Oracle, random: np.random.Generator, epsilon: int = _EPSILON
) -> Iterator[Image]:
    """Square attack (Andriushchenko et al., ECCV 2020), largest change ``epsilon``."""
    best = 0.0

    def better(picture: Image) -> bool:
        nonlocal best
        damage = oracle(picture)
        if damage <= best:
            return False
        best = damage
        return True

    yield from square_search(
        image, better, queries=_BUDGET, epsilon=epsilon, seed=int(random.integers(2**31))
    )


def nes(
    image: Image,
    oracle: Oracle,
    random: np.random.Generator,
    sigma: float = 2.0,
    epsilon: int = _EPSILON,
    *,
    antithetic: bool = True,
) -> Iterator[Image]:
    """Natural evolution strategies (Ilyas et al., ICML 2018): ten noisy looks for each step."""
    clean, change = image.astype(np.float32), np.zeros(image.shape, np.float32)
    while True:
        slope = np.zeros_like(change)
        for _ in range(5):
            noise = random.standard_normal(image.shape, np.float32)
            others = -noise if antithetic else random.standard_normal(image.shape, np.float32)
            for direction in (noise, others):
                picture = round_pixels(clean + change + sigma * direction)
                yield picture
                slope += oracle(picture) * direction
        change = np.clip(change + np.sign(slope), -epsilon, epsilon)
        yield round_pixels(clean + change)


def boundary(
    image: Image, oracle: Oracle, random: np.random.Generator, start: Image | None = None
) -> Iterator[Image]:
    """Search along the boundary of success (HopSkipJump, Chen et al., IEEE S&P 2020).

    Starts from a picture that succeeds: noise, or ``start`` (the size of ``image``).
    """
    clean = image.astype(np.float32)
    far = start.astype(np.float32) if start is not None else random.uniform(0, 255, image.shape)
    low, high = 0.0, 1.0
    for step in range(1, 1_000_000):
        direction = (far - clean).astype(np.float32)
        for _ in range(6):
            middle = (low + high) / 2
            picture = round_pixels(clean + middle * direction)
            yield picture
            low, high = (low, middle) if oracle(picture) >= SUCCESS else (middle, high)
        at = clean + high * direction
        slope = np.zeros_like(clean)
        reach = max(2.0, float(np.abs(at - clean).mean()) / 4)
        for _ in range(round(10 * step**0.5)):
            noise = random.standard_normal(image.shape, np.float32)
            picture = round_pixels(at + reach * noise)
            yield picture
            slope += noise if oracle(picture) >= SUCCESS else -noise
        stride = float(np.abs(at - clean).mean()) / step**0.5
        far, low, high = at + stride * np.sign(slope), 0.0, 1.0


def boundary_from_photo(
    image: Image, oracle: Oracle, random: np.random.Generator
) -> Iterator[Image]:
    """The same from the picture upside down, whose parts lie elsewhere."""
    yield from boundary(image, oracle, random, image[::-1])


def resample_queries(base: Attack) -> Attack:
    """A search whose queries get noise until a copy of the peer's detector misses them.

    After Feng et al., Stateful Defenses for Machine Learning Models Are Not Yet Secure Against
    Black-box Attacks (OARS), CCS 2023: proposals are drawn anew, wider where they collide and
    narrower where they do not. The copy has another seed than the peer itself.
    """

    def attack(image: Image, oracle: Oracle, random: np.random.Generator) -> Iterator[Image]:
        copy = Blacklight(int(random.integers(1, 2**31)))
        query, sigma = image, 1.0

        def answer(_proposal: Image) -> float:
            return oracle(query)

        for proposal in base(image, answer, random):
            for _ in range(_TRIES):
                query = round_pixels(
                    proposal + sigma * random.standard_normal(image.shape, np.float32)
                )
                collides = copy.see(query)
                sigma = min(_WIDEST, sigma * 1.5) if collides else max(1.0, sigma * 0.95)
                if not collides:
                    break
            yield query

    return attack


def as_jpeg(base: Attack) -> Attack:
    """A search that sends every query as a JPEG of quality 90 with halved colours."""

    def attack(image: Image, oracle: Oracle, random: np.random.Generator) -> Iterator[Image]:
        query = image

        def answer(_proposal: Image) -> float:
            return oracle(query)

        for proposal in base(image, answer, random):
            query = through_jpeg(proposal, 90)
            yield query

    return attack


ATTACKS: Mapping[str, Attack] = {
    "square": square,
    "nes": nes,
    "boundary": boundary,
    "boundary_from_photo": boundary_from_photo,
    "oars_square": resample_queries(square),
    "oars_nes": resample_queries(nes),
}
"""The searches of the protocol; each query is sent as PNG."""

AS_JPEG: Mapping[str, Attack] = {
    f"{name}_jpeg": as_jpeg(attack)
    for name, attack in (("square", square), ("nes", nes), ("boundary", boundary))
}
"""The same as pictures that hide in what a camera's files lose."""
