"""Sequence scores: searches are found early, and what looks like them is not."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice, product

import cv2
import numpy as np
import pytest

from detectors.parsing import Image
from detectors.probing.sequence import probing_findings
from tests.detectors.probing.conftest import LIMITS, Grow, as_jpeg, rounded

_FRAMES = 30


def _square(scene: Image) -> Iterator[Image]:
    random = np.random.default_rng(0)
    change = np.broadcast_to(random.choice((-8, 8), (1, scene.shape[1], 3)), scene.shape).copy()
    while True:
        top, left = random.integers(150), random.integers(150)
        candidate = change.copy()
        candidate[top : top + 60, left : left + 60] = random.choice((-8, 8), 3)
        yield rounded(scene + candidate)
        if random.random() < 0.3:
            change = candidate


def _grey_square(scene: Image) -> Iterator[Image]:
    """The same without colour: red, green and blue change alike."""
    random = np.random.default_rng(0)
    change = np.zeros(scene.shape[:2])
    while True:
        top, left = random.integers(150), random.integers(150)
        candidate = change.copy()
        candidate[top : top + 60, left : left + 60] = random.choice((-8, 8))
        yield rounded(scene + candidate[..., None])
        if random.random() < 0.3:
            change = candidate


def _small_square(scene: Image) -> Iterator[Image]:
    random = np.random.default_rng(0)
    change = np.zeros(scene.shape)
    while True:
        top, left = random.integers(280), random.integers(200)
        candidate = change.copy()
        candidate[top : top + 20, left : left + 20] = random.choice((-16, 16), 3)
        yield rounded(scene + candidate)
        if random.random() < 0.5:
            change = candidate


def _square_under_noise(scene: Image) -> Iterator[Image]:
    """Queries that were drawn again until segments differ."""
    random = np.random.default_rng(1)
    for query in _square(scene):
        yield rounded(query + random.normal(0, 2, scene.shape))


def _turns(scene: Image) -> Iterator[Image]:
    """Weak noise both ways, saved as a camera saves."""
    random = np.random.default_rng(0)
    while True:
        noise = random.normal(0, 2, scene.shape)
        yield as_jpeg(rounded(scene + noise), 92)
        yield as_jpeg(rounded(scene - noise), 92)


def _noise(scene: Image) -> Iterator[Image]:
    random = np.random.default_rng(0)
    while True:
        yield rounded(scene + random.normal(0, 2, scene.shape))


def _mirrored(scene: Image) -> Iterator[Image]:
    """Noise both ways, saved as a camera saves."""
    random = np.random.default_rng(0)
    while True:
        noise = random.normal(0, 4, scene.shape)
        yield as_jpeg(rounded(scene + noise), 92)
        yield as_jpeg(rounded(scene - noise), 92)


def _strong(scene: Image) -> Iterator[Image]:
    random = np.random.default_rng(0)
    while True:
        yield as_jpeg(rounded(scene + random.normal(0, 50, scene.shape)), 92)


def _still_camera(scene: Image) -> Iterator[Image]:
    random = np.random.default_rng(0)
    while True:
        gain = 1 + random.normal(0, 0.02)
        yield as_jpeg(rounded(scene * gain + random.normal(0, 2, scene.shape)))


def _raw_camera(scene: Image) -> Iterator[Image]:
    """Frames that nothing was taken from, of a sensor that has all three colours everywhere."""
    random = np.random.default_rng(0)
    while True:
        gain = 1 + random.normal(0, 0.01)
        yield rounded(scene * gain + random.normal(0, 2, scene.shape))


def _starved(scene: Image) -> Iterator[Image]:
    """A film with few bits for each frame: blocks that hardly change are left as they are."""
    random, coded = np.random.default_rng(0), scene.astype(np.float32)
    for frame in range(_FRAMES):
        moved = np.roll(scene, frame, axis=1)[60:160, 60:140]
        picture = scene + random.normal(0, 1, scene.shape)
        picture[60:160, 60:140] = moved
        for top, left in product(range(0, 300, 20), range(0, 220, 20)):
            block = slice(top, top + 20), slice(left, left + 20)
            change = (picture - coded)[block].mean(axis=2)
            if np.abs(change).mean() > 3:
                coarse = cv2.resize(change, (4, 4), interpolation=cv2.INTER_AREA)
                coarse = np.rint(coarse / 6) * 6
                coded[block] += cv2.resize(coarse, (20, 20))[..., None]
        yield rounded(coded)


def _in_turn(scene: Image, views: int) -> Iterator[Image]:
    """Views that come again and again, as an encoder treats every second or third frame alike."""
    random = np.random.default_rng(0)
    biases = [random.normal(0, 4, scene.shape) for _ in range(views)]
    for bias in cycle(biases):
        yield as_jpeg(rounded(scene + bias + random.normal(0, 2, scene.shape)))


def _two_in_turn(scene: Image) -> Iterator[Image]:
    return _in_turn(scene, 2)


def _three_in_turn(scene: Image) -> Iterator[Image]:
    return _in_turn(scene, 3)


def _panning(scene: Image) -> Iterator[Image]:
    for frame in range(_FRAMES):
        matrix = np.array([[1, 0, 0.7 * frame], [0, 1, 0.3 * frame]])
        moved = cv2.warpAffine(scene, matrix, scene.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
        yield as_jpeg(rounded(moved))


def _walking(scene: Image) -> Iterator[Image]:
    for frame in range(_FRAMES):
        composed = scene.copy()
        composed[100:, 4 * frame : 4 * frame + 60] = scene[::-1, ::-1][100:, :60]
        yield as_jpeg(composed)


def _going_round(scene: Image) -> Iterator[Image]:
    random = np.random.default_rng(0)
    while True:
        size = (scene.shape[1] // 2, scene.shape[0] // 2) if random.random() < 0.3 else None
        smaller = cv2.resize(scene, size, interpolation=cv2.INTER_AREA) if size else scene
        yield as_jpeg(rounded(smaller), int(random.integers(30, 97)))


def _the_same(scene: Image) -> Iterator[Image]:
    while True:
        yield scene


@pytest.mark.parametrize(
    "search",
    [
        _square,
        _grey_square,
        _small_square,
        _square_under_noise,
        _noise,
        _mirrored,
        _turns,
        _strong,
    ],
    ids=lambda f: f.__name__,
)
def test_a_search_is_found_within_fifty_queries(grow: Grow, scene: Image, search: object) -> None:
    families = grow(islice(search(scene), 50))  # type: ignore[operator]
    scores = [family.score(LIMITS) for family in families]
    assert scores[0] == 0
    assert max(scores) > LIMITS.max_score


@pytest.mark.parametrize(
    "stream",
    [
        _still_camera,
        _raw_camera,
        _two_in_turn,
        _three_in_turn,
        _panning,
        _walking,
        _starved,
        _going_round,
        _the_same,
    ],
    ids=lambda f: f.__name__,
)
def test_what_only_looks_like_a_search_is_not(grow: Grow, scene: Image, stream: object) -> None:
    families = grow(islice(stream(scene), _FRAMES))  # type: ignore[operator]
    assert max(family.score(LIMITS) for family in families) <= LIMITS.max_score / 2


def test_a_finding_has_the_numbers_of_its_family(grow: Grow, scene: Image) -> None:
    family = grow(islice(_noise(scene), 20))[-1]
    score = family.score(LIMITS)
    [finding] = probing_findings(family, score, LIMITS)
    assert finding.rule.code == "probing_sequence"
    assert finding.evidence == {
        "score": score,
        "pictures": 20,
        "clients": 3,
        "window_seconds": 19,
    }
    assert probing_findings(family, LIMITS.max_score, LIMITS) == ()


def test_a_family_is_named_after_its_first_picture(grow: Grow, scene: Image) -> None:
    families = grow([*islice(_noise(scene), 3), scene[::-1]])
    assert [family.name for family in families] == ["request-0"] * 3 + ["request-3"]


def test_features_count_what_looks_alike(grow: Grow, scene: Image) -> None:
    small = as_jpeg(rounded(cv2.resize(scene, (110, 150), interpolation=cv2.INTER_AREA)))
    features = grow([scene, scene, small])[-1].features(LIMITS)
    assert features["coarse_duplicates"] == 2
    assert features["fine_duplicates"] == 0
    assert (features["family_clients"], features["family_sizes"]) == (3, 2)
    assert (features["label_delta"], features["probing_score"]) == (0, 0)


def test_a_lone_picture_has_no_label_delta(grow: Grow, scene: Image) -> None:
    features: Sequence[str] = list(grow([scene])[0].features(LIMITS))
    assert "label_delta" not in features
