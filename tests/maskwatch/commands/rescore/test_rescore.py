"""``maskwatch rescore``: kept pictures are measured again and compared with their records."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.maskwatch.conftest import (
    Run,
    copy_installation,
    parse_once,
    save_look,
    save_printed,
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pictures that were parsed and kept; one of them is crafted."""
    folder = tmp_path_factory.mktemp("kept")
    parse_once(folder, save_look(folder), save_printed(folder))
    return folder


@pytest.fixture(autouse=True)
def kept(installation: Path, tmp_path: Path) -> None:
    """What was kept, for each test its own."""
    copy_installation(installation, tmp_path)


def rescore(maskwatch: Run, *options: str) -> list[dict[str, Any]]:
    said = maskwatch("rescore", "--since", "1h", "--json", *options)
    assert said.code == 0, said.err
    return [json.loads(line) for line in said.out.splitlines()]


def test_a_kept_picture_is_held_against_its_record(maskwatch: Run) -> None:
    first, second = rescore(maskwatch)
    assert [each["record"]["verdict"] for each in (first, second)] == ["pass", "flag"]
    assert "adversarial_picture" in second["record"]["reasons"]
    for each in (first, second):
        assert each["now"]["source"] == each["record"]["source"]
        assert each["refusal"] == ""
        # It was kept smaller than it came.
        assert each["features"]["height"] == {"record": 576.0, "now": 512.0}
        assert {"entropy_mean", "persons", "glance_divergence"} <= each["features"].keys()
        assert "total_ms" not in each["features"]


def test_the_same_seed_gives_the_same_and_another_one_other_looks(maskwatch: Run) -> None:
    first = rescore(maskwatch)
    assert rescore(maskwatch) == first
    other = rescore(maskwatch, "--seed", "1")
    name = "glance_divergence"
    assert other[0]["features"][name] != first[0]["features"][name]
    assert other[0]["features"]["entropy_mean"] == first[0]["features"]["entropy_mean"]


def test_people_get_a_line_a_picture_and_one_for_all(maskwatch: Run) -> None:
    said = maskwatch("rescore", "--since", "1h")
    assert said.code == 0
    first, second = said.out.splitlines()
    assert "  pass" in first
    assert "  flag [adversarial_picture" in second
    assert said.err.splitlines()[-1].startswith("Measured 2 pictures again with the model ")


def test_a_picture_that_is_gone_or_damaged_is_counted(maskwatch: Run, tmp_path: Path) -> None:
    digests = [path for path in (tmp_path / "var" / "evidence").rglob("*") if path.is_file()]
    for path in digests:
        path.write_bytes(path.read_bytes() + b"x")
    said = maskwatch("rescore", "--since", "1h")
    assert (said.code, said.out) == (0, "")
    assert said.err.splitlines()[-1].endswith(" Of 2 records the picture is gone or damaged.")


def test_nothing_is_measured_outside_of_the_time(maskwatch: Run) -> None:
    assert rescore(maskwatch, "--until", "30min") == []


@pytest.mark.parametrize("option", ["--address", "--actors"])
def test_options_of_ray_are_refused_without_it(maskwatch: Run, option: str) -> None:
    said = maskwatch("rescore", "--since", "1h", option, "1")
    assert said.code == 1
    assert said.err == "maskwatch: --address and --actors are options of --engine ray.\n"
