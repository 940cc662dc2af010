"""Listed patches through the whole pipeline: flagged, refused, let through, never in the way."""

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import pytest
from numpy.random import default_rng
from PIL import Image as Pillow

from detectors.parsing import Image
from detectors.patches.patches import Patch
from detectors.verdict import Mode, Verdict
from inference.service import Service
from store.decisions.pictures.listed_patches import patch_evidence
from store.decisions.scopes import Scope
from tests.inference.checks.listed.guarded import Guarded

Encode = Callable[..., bytes]
LEFT, TOP, SIDE = 60, 120, 40
BLOCKS = default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
MARK = cv2.resize(BLOCKS, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST).astype(np.uint8)


def block(guarded: Guarded, patch: Patch, *, simulated: bool = False) -> int:
    evidence = patch_evidence(patch, 0.7)
    return guarded.block(Scope.PATCH, patch.digest, evidence, simulated=simulated)


@pytest.fixture
def guarded(service: Service) -> Guarded:
    return Guarded(service)


@pytest.fixture
def patch(figure: Image) -> Patch:
    return Patch(MARK, SIDE / np.sqrt(figure.shape[0] * figure.shape[1]))


@pytest.fixture
def bearing(figure: Image, encode: Encode) -> bytes:
    """A figure that wears the patch."""
    worn = figure.copy()
    worn[TOP : TOP + SIDE, LEFT : LEFT + SIDE] = MARK
    return encode(worn)


@pytest.fixture
def plain(figure: Image, encode: Encode) -> bytes:
    return encode(figure)


def test_a_listed_patch_is_refused_with_its_place_and_its_decision(
    guarded: Guarded, patch: Patch, bearing: bytes, plain: bytes
) -> None:
    decision = block(guarded, patch)
    outcome = guarded.send(bearing)
    assert outcome.record.verdict is Verdict.REFUSE
    assert outcome.refusal is not None
    assert outcome.refusal.code == "not_accepted"
    [finding] = [each for each in outcome.record.findings if each.rule.code == "blocked_patch"]
    assert finding.evidence["decision"] == decision
    assert finding.evidence["correlation"] > 0.9
    [place] = finding.places
    assert (place.left, place.top) == pytest.approx((LEFT, TOP), abs=SIDE / 4)
    assert "blocked_patch" not in guarded.send(plain).record.reasons


def test_the_place_is_in_the_pixels_of_a_large_picture(
    guarded: Guarded, patch: Patch, bearing: bytes, encode: Encode
) -> None:
    block(guarded, patch)
    with Pillow.open(BytesIO(bearing)) as opened:
        large = opened.resize((opened.width * 3, opened.height * 3), Pillow.Resampling.BICUBIC)
    outcome = guarded.send(encode(np.asarray(large)))
    [finding] = [each for each in outcome.record.findings if each.rule.code == "blocked_patch"]
    place = finding.places[0]
    assert (place.left, place.top) == pytest.approx((3 * LEFT, 3 * TOP), abs=SIDE)
    assert place.right - place.left == pytest.approx(3 * SIDE, rel=0.3)


def test_in_monitor_mode_it_is_flagged(service: Service, patch: Patch, bearing: bytes) -> None:
    watched = Guarded(service, Mode.MONITOR)
    block(watched, patch)
    outcome = watched.send(bearing)
    assert outcome.record.verdict is Verdict.FLAG
    assert "blocked_patch" in outcome.record.reasons


def test_a_simulated_block_flags(guarded: Guarded, patch: Patch, bearing: bytes) -> None:
    block(guarded, patch, simulated=True)
    outcome = guarded.send(bearing)
    assert outcome.refusal is None
    assert "blocked_patch" in outcome.record.reasons


def test_who_is_allowed_is_flagged_only(guarded: Guarded, patch: Patch, bearing: bytes) -> None:
    block(guarded, patch)
    guarded.allow_client()
    assert guarded.send(bearing).record.verdict is Verdict.FLAG


def test_a_picture_that_passed_before_is_looked_at_again(
    guarded: Guarded, patch: Patch, bearing: bytes
) -> None:
    assert guarded.send(bearing).refusal is None
    block(guarded, patch)
    assert guarded.send(bearing).refusal is not None


def test_a_block_ends(guarded: Guarded, patch: Patch, bearing: bytes) -> None:
    block(guarded, patch)
    assert guarded.send(bearing, minutes=61).refusal is None


def test_one_request_has_one_finding_however_many_patches_it_shows(
    guarded: Guarded, patch: Patch, bearing: bytes
) -> None:
    block(guarded, patch)
    corner = Patch(MARK[:30, :30], patch.share * 30 / SIDE)
    block(guarded, corner, simulated=True)
    record = guarded.send(bearing).record
    assert record.verdict is Verdict.REFUSE
    assert record.reasons.count("blocked_patch") == 1
    assert len([each for each in record.findings if each.rule.code == "blocked_patch"]) == 1


@pytest.fixture
def broken(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> Guarded:
    def look(*_: object) -> None:
        raise RuntimeError("A test.")

    monkeypatch.setattr("inference.checks.listed.patches.PatchMatcher.look", look)
    return guarded


def test_a_fault_is_counted_and_costs_nothing(
    broken: Guarded, patch: Patch, bearing: bytes
) -> None:
    block(broken, patch)
    assert broken.send(bearing).refusal is None
    faults = broken.service.metrics.registry.get_sample_value(
        "maskwatch_faults_total", {"part": "listed_patches"}
    )
    assert faults == 1
