"""Files through the public entry point, remembered by their bytes."""

from pathlib import Path

import pytest

from bench.detection.observe import observer
from bench.detection.pictures.controls import encode_image
from inference.figures import draw_figure
from inference.pipeline import Pipeline


def test_a_second_observation_of_the_same_bytes_comes_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = encode_image(draw_figure(11, (64, 96)).image)
    with observer(tmp_path) as observing:
        first = observing.observe(upload)
        monkeypatch.setattr(Pipeline, "handle", _never)
        assert observing.observe(upload) == first
        (kept,) = (tmp_path / "observed").rglob("*.json")
        kept.write_text("{")
        with pytest.raises(AssertionError, match="again"):
            observing.observe(upload)
    assert {"glance_divergence", "js_consensus", "js_jpeg", "patch_consistency"} <= set(
        first.features
    )
    assert "adversarial_picture" not in first.reasons
    assert "trigger_score" not in first.features


def _never(*_: object) -> object:
    raise AssertionError("It was observed again.")


def test_a_refused_file_is_an_observation_without_features(tmp_path: Path) -> None:
    with observer(tmp_path) as observing:
        found = observing.observe(b"no picture")
    assert (found.features, found.verdict) == ({}, "refuse")
    assert found.reasons == ("unsupported_type",)
