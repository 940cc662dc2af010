"""Attacks of a deployment that are chosen by name."""

from pathlib import Path

from typer.testing import CliRunner

from bench.__main__ import app
from bench.deployment.attacked import ALL, CHOICE, KNOWN


def test_an_unknown_attack_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    options = ["--data", str(tmp_path), "--cache", str(tmp_path), "--json", str(out)]
    result = CliRunner().invoke(app, ["deployment", *options, "--only", "nobody_e4"])
    assert result.exit_code == 2
    assert "There is no attack nobody_e4" in result.output
    assert not list(tmp_path.iterdir())


def test_everything_that_is_tried_by_default_is_known_by_name() -> None:
    assert set(CHOICE) < set(ALL) < KNOWN.keys()
