"""Figures on the documentation's page, and their drawings."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bench.detection.attacks.minimal import LibraryMissing
from bench.detection.page import fill, take_newer_probing
from bench.detection.plots import draw

ROW = {
    "attack": "pgd_e2",
    "n": 2,
    "tried": 3,
    "auroc": 0.75,
    "tpr_1pct": 0.5,
    "tpr_01pct": 0.0,
    "ci_low": 0.0,
    "ci_high": 1.0,
    "best_peer": "pixel_entropy",
    "best_peer_tpr_1pct": 0.25,
    "extra_forwards": 13.0,
    "extra_ms": 850.4,
    "scores": [0.5, 3.0],
}
FIGURES: dict[str, Any] = {
    "clean": {"n": 4, "fpr": 0.25, "fpr_01pct": 0.0, "scores": [0.1, 0.2, 0.3, 2.0]},
    "cascade_share_first_stage": 0.9,
    "thresholds": {"0.01": 1.5, "0.001": 2.1},
    "rows": [ROW],
    "controls": [
        {
            "control": "person_free",
            "n": 1,
            "fpr": 0.0,
            "fpr_default": 0.0,
            "named_by_another_rule": 1.0,
            "peers": {"pixel_entropy": 0.5, "patch_consistency": 0.0},
            "scores": [0.4],
        }
    ],
    "patch_list": {
        "sent": 34,
        "flagged": 30,
        "listed": 1,
        "n": 33,
        "found": 0.909,
        "ci_low": 0.788,
        "ci_high": 1.0,
        "clean": 160,
        "fpr": 0.00625,
        "ms": 17.9,
    },
    "adaptive": [
        {"attack": "adaptive_pgd_e4", "n": 2, "success_without": 1.0, "success_with": 0.5}
    ],
}


def test_figures_stand_between_the_markers_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "detection.md"
    page.write_text("before\n<!-- figures -->\nlast year\n<!-- /figures -->\nafter\n")
    fill(page, FIGURES)
    text = page.read_text()
    assert text.startswith("before\n<!-- figures -->")
    assert text.endswith("<!-- /figures -->\nafter\n")
    assert "last year" not in text
    assert (
        "| `pgd_e2` | 2 of 3 | 0.750 | 0.50 | 0.00–1.00 | 0.00 | `pixel_entropy` | 0.25 |" in text
    )
    assert "| person free | 1 | 0.0% | 0.0% | 100.0% | `pixel_entropy` 50% |" in text
    assert "| `adaptive_pgd_e4` | 2 | 1.00 | 0.50 |" in text
    assert (
        "Of 33 other trigger pictures 90.9% show a listed one, of 160 clean test photos 0.6%. "
        "A look takes 18 ms a patch." in text
    )


def test_a_list_without_a_patch_has_no_time(tmp_path: Path) -> None:
    page = tmp_path / "detection.md"
    page.write_text("<!-- figures --><!-- /figures -->")
    none = {**FIGURES["patch_list"], "listed": 0, "found": 0.0}
    fill(page, {**FIGURES, "patch_list": none})
    assert "listed 0 of the patches" in page.read_text()
    assert "A look takes" not in page.read_text()


def test_filling_again_changes_nothing(tmp_path: Path) -> None:
    page = tmp_path / "detection.md"
    page.write_text("<!-- figures --><!-- /figures -->")
    fill(page, FIGURES)
    once = page.read_text()
    fill(page, FIGURES)
    assert page.read_text() == once


def test_a_search_that_was_measured_again_has_its_newer_row_alone() -> None:
    old = {"probing": [_search("nes", 20), _search("square", 20)], "streams": [], "frames": 60}
    newer = {"probing": [_search("nes", 10)], "streams": [], "frames": 30}
    joined = take_newer_probing({**FIGURES, **old}, newer)
    assert [row["n"] for row in joined["probing"]] == [10, 20]
    assert joined["frames"] == 30
    assert joined["rows"] == FIGURES["rows"]


def _search(attack: str, n: int) -> dict[str, Any]:
    return {"attack": attack, "clients": 1, "n": n}


def test_drawings_are_made_or_the_missing_library_is_named(tmp_path: Path) -> None:
    if find_spec("matplotlib") is None:
        with pytest.raises(LibraryMissing, match="make bench-install"):
            draw(FIGURES, tmp_path)
        return
    draw(FIGURES, tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "detection-roc.png",
        "detection-scores.png",
    }
