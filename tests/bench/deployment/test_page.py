"""Figures of a deployment on the documentation's page, and their drawings."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from bench.deployment.page import fill_page
from bench.deployment.plots import draw_deployment


def _row(after: int, flagged: float, detection: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "model": "reference",
        "traffic": "mixed",
        "hostile": "0 from 1",
        "after": after,
        "state": "in force",
        "n": 130,
        "flagged": flagged,
        "bad": 0.0,
        "crafted": flagged,
        "by_rule": {"adversarial_picture": flagged},
        "recorded": {},
        "cost_ratio": 2.05,
        "passes": 2.0,
        "ensembles": 0.08,
        "detection": detection,
    }


FOUND = {"attack": "pgd_e4", "tried": 12, "n": 10, "tpr": 0.9, "flagged": 1.0, "recorded": 0.9}
POISON = {
    "way": "sudden",
    "share": 0.2,
    "clients": 50,
    "phase": "in_force",
    "detection": 0.9,
    "detection_deviation": 0.04,
    "fall": 0.03,
    "false_alarms": 0.01,
    "false_alarms_max": 0.02,
}
TONES = {
    "n": 62,
    "rules": [{"rule": "face_hidden", "thirds": [0.1, 0, 0], "gap": 0.1, "low": 0, "high": 0.2}],
    "recall": [],
    "max_gap": 0.1,
    "max_gap_low": 0.0,
    "max_gap_high": 0.2,
}
FIGURES = {"deployment": [_row(200, 0.0, []), _row(600, 0.012, [FOUND])], "poison": [POISON]}


def test_the_page_says_what_was_measured(tmp_path: Path) -> None:
    page = tmp_path / "deployment.md"
    page.write_text("# Before\n\n<!-- figures -->\n\nold\n\n<!-- /figures -->\n\nAfter.\n")
    fill_page(page, FIGURES)
    text = page.read_text()
    assert "old" not in text
    assert text.endswith("After.\n")
    assert "| reference | mixed | 600 | in force | 130 | 1.2% | 0% to 5% | 0.0% | 1.2% |" in text
    assert "| `pgd_e4` | 10 of 12 | 0.90 | 60% to 98% | 1.00 |" in text
    assert "| sudden | 20% | 50 | in force | 0.90 ± 0.04 | +0.03 | 1.0% (2.0%) |" in text


def test_hostile_traffic_and_other_models_have_rows_of_their_own(tmp_path: Path) -> None:
    page = tmp_path / "deployment.md"
    page.write_text("<!-- figures -->\n\n<!-- /figures -->\n")
    hostile = _row(600, 0.03, []) | {"model": "bodypix", "hostile": "0.2 from 50"}
    figures = {"deployment": [_row(600, 0.01, []) | {"fairness": TONES}, hostile]}
    fill_page(page, figures)
    draw_deployment(figures, tmp_path)
    text = page.read_text()
    assert "| bodypix | mixed, 20% hostile of 50 clients | 600 |" in text
    assert "reference, mixed, after 600: 62 portraits with a face" in text
    assert "| `face_hidden` | 10.0% | 0.0% | 0.0% | +10.0% |" in text
    drawing = (tmp_path / "deployment-alarms.svg").read_text()
    assert "bodypix mixed, 20% hostile of 50 clients, flagged" in drawing


def test_an_attack_that_another_rule_finds_says_so(tmp_path: Path) -> None:
    page = tmp_path / "deployment.md"
    page.write_text("<!-- figures -->\n\n<!-- /figures -->\n")
    found = FOUND | {"attack": "trigger", "rule": "trigger_suspected", "ensembles": 0.85}
    fill_page(page, {"deployment": [_row(600, 0.0, [FOUND, found]) | {"model": "backdoored"}]})
    text = page.read_text()
    assert "| backdoored | mixed | 600 | `trigger` | 10 of 12 | 0.90 | 60% to 98% | 1.00 |" in text
    [line] = [line for line in text.splitlines() if "is found by" in line]
    assert line.endswith(
        "`trigger` is found by `trigger_suspected`; 85.0% of the pictures are looked at in full."
    )


def test_plots_are_drawn_without_a_library(tmp_path: Path) -> None:
    draw_deployment(FIGURES, tmp_path)
    for name, what in (
        ("alarms", "reference mixed, flagged"),
        ("detection", "reference mixed, 10 pictures"),
    ):
        text = (tmp_path / f"deployment-{name}.svg").read_text()
        ET.fromstring(text)  # noqa: S314 - drawn just now
        assert what in text


def test_all_attacks_on_a_model_are_one_curve(tmp_path: Path) -> None:
    missed = FOUND | {"attack": "patch_trunk", "n": 30, "tpr": 0.1}
    other = _row(600, 0.0, [FOUND, missed]) | {"model": "bodypix"}
    draw_deployment({"deployment": [_row(600, 0.012, [FOUND]), other]}, tmp_path)
    root = ET.parse(tmp_path / "deployment-detection.svg").getroot()  # noqa: S314 - drawn just now
    first, second = root.iter("{http://www.w3.org/2000/svg}circle")
    assert first.get("fill") != second.get("fill")
    # 9 of 10 are found, and 12 of 40: the larger share lies higher.
    assert float(first.get("cy", 0)) < float(second.get("cy", 0))
    assert "bodypix mixed, 40 pictures" in ET.tostring(root, encoding="unicode")


def test_without_attacks_no_detection_is_drawn(tmp_path: Path) -> None:
    draw_deployment({"deployment": [_row(200, 0.0, [])]}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["deployment-alarms.svg"]
