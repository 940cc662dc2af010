"""Detectors of one number: high means anomalous, and what was not measured is nothing unusual."""

from importlib.util import find_spec

import pytest

from bench.detection import peers as module
from bench.detection.attacks.minimal import LibraryMissing
from bench.detection.peers import Peer, peers
from detectors.registry import FEATURE_NAMES

UNUSUAL = {
    "grey_entropy": {"grey_entropy": 1.0},
    "pixel_entropy": {"entropy_foreground": 2.0},
    "feature_squeezing": {"js_jpeg": 0.1, "js_median": 0.6, "js_bit_depth": 0.1},
    "patch_consistency": {"patch_consistency": 0.2},
    "mutual_information": {"mutual_information": 0.9},
    "jpeg_divergence": {"glance_divergence": 0.6},
}
USUAL = {
    "grey_entropy": 4.0,
    "entropy_foreground": 0.2,
    "js_jpeg": 0.1,
    "js_median": 0.1,
    "js_bit_depth": 0.1,
    "patch_consistency": 0.9,
    "mutual_information": 0.1,
    "glance_divergence": 0.1,
}


@pytest.fixture
def single(monkeypatch: pytest.MonkeyPatch) -> dict[str, Peer]:
    """Without the outlier models, which are no part of the project."""
    monkeypatch.setattr(module, "_PYOD", {})
    return {peer.name: peer for peer in peers([])}


def test_each_number_has_an_example(single: dict[str, Peer]) -> None:
    assert set(single) == set(UNUSUAL)
    assert set(USUAL) <= set(FEATURE_NAMES)


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_scores_higher(single: dict[str, Peer], name: str) -> None:
    usual, unusual, unknown = single[name].score([USUAL, {**USUAL, **UNUSUAL[name]}, {}])
    assert unusual > usual
    assert unknown <= usual


@pytest.mark.skipif(find_spec("pyod") is not None, reason="PyOD is installed")
def test_without_pyod_the_extra_is_named() -> None:
    with pytest.raises(LibraryMissing, match="install the extra"):
        peers([USUAL, USUAL])
