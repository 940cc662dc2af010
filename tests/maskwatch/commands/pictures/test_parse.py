"""``maskwatch parse``: one line a file, recorded as the service records."""

import json
import sqlite3
from pathlib import Path

import pytest
from numpy.random import default_rng
from PIL import Image as Pillow

from inference.figures import draw_figure
from tests.maskwatch.conftest import Run


def _records(folder: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(folder / "var" / "maskwatch.db") as connection:
        rows = connection.execute("SELECT client, route, verdict FROM requests ORDER BY id")
        found = [(str(client), str(route), str(verdict)) for client, route, verdict in rows]
    connection.close()
    return found


def test_one_json_line_a_file(maskwatch: Run, tmp_path: Path, look: Path) -> None:
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(look.read_bytes()[:2_000])
    said = maskwatch("parse", str(look), str(cut), "--json")
    good, bad = (json.loads(line) for line in said.out.splitlines())
    assert said.code == 1
    assert set(good) == {"path", "verdict", "reasons", "labels", "ms", "findings"}
    assert [finding["rule"] for finding in good["findings"]] == good["reasons"]
    assert good["path"] == str(look)
    assert {"face", "hair"} <= set(good["labels"])
    assert bad["verdict"] == "refuse"
    assert bad["reasons"] == ["truncated"]
    assert [verdict for _, _, verdict in _records(tmp_path)] == [good["verdict"], "refuse"]


def test_a_printed_square_is_a_finding_with_its_place(maskwatch: Run, tmp_path: Path) -> None:
    image, square = draw_figure(11).image.copy(), slice(240, 336)
    image[square, square] = default_rng(0).integers(0, 2, (96, 96, 3)) * 255
    printed = tmp_path / "printed.png"
    Pillow.fromarray(image).save(printed)
    said = maskwatch("parse", str(printed), "--json")
    told = json.loads(said.out)
    assert told["verdict"] == "flag"
    assert "adversarial_picture" in told["reasons"]
    (finding,) = (each for each in told["findings"] if each["rule"] == "adversarial_picture")
    assert set(finding) == {"rule", "severity", "sentence", "evidence", "places"}
    assert finding["severity"] == "suspect"
    assert finding["sentence"] == "The picture looks made to mislead the model."
    assert finding["evidence"]["printed_colours"] > 1
    assert finding["evidence"]["tamper_score"] >= finding["evidence"]["printed_colours"]
    assert any(_lies_within(place, 240 - 12, 336 + 12) for place in finding["places"])


def _lies_within(place: dict[str, int], start: int, stop: int) -> bool:
    sides = (place["left"], place["top"], place["right"], place["bottom"])
    return all(start <= side <= stop for side in sides)


def test_a_missing_file_does_not_stop_the_others(
    maskwatch: Run, tmp_path: Path, look: Path
) -> None:
    said = maskwatch("parse", str(tmp_path / "gone.jpg"), str(look))
    assert said.code == 1
    assert f"The file {tmp_path / 'gone.jpg'} cannot be read: No such file" in said.err
    assert str(look) in said.out
    assert _records(tmp_path)[0][:2] == ("cli:local", "cli")


def test_out_gets_composite_and_labels(maskwatch: Run, tmp_path: Path, look: Path) -> None:
    said = maskwatch("parse", str(look), "--out", str(tmp_path / "masks"))
    assert said.code == 0
    with Pillow.open(look) as picture:
        width, height = picture.size
    with Pillow.open(tmp_path / "masks" / "look.jpg.labels.png") as labels:
        assert labels.size == (width, height)
    with Pillow.open(tmp_path / "masks" / "look.jpg.composite.png") as composite:
        assert composite.height == height
        assert composite.width > width  # the legend


def test_files_of_one_name_in_two_folders_keep_their_own_masks(
    maskwatch: Run, tmp_path: Path, look: Path
) -> None:
    for day in ("monday", "tuesday"):
        (tmp_path / "week" / day).mkdir(parents=True)
        (tmp_path / "week" / day / "look.jpg").write_bytes(look.read_bytes())
    maskwatch("parse", str(tmp_path / "week"), "--out", str(tmp_path / "masks"))
    assert (tmp_path / "masks" / "monday" / "look.jpg.labels.png").is_file()
    assert (tmp_path / "masks" / "tuesday" / "look.jpg.labels.png").is_file()


def test_a_folder_that_cannot_be_written_is_said(
    maskwatch: Run, tmp_path: Path, look: Path
) -> None:
    (tmp_path / "masks").write_text("a file, not a folder")
    said = maskwatch("parse", str(look), "--out", str(tmp_path / "masks"))
    assert said.code == 1
    assert "cannot be written" in said.err


def test_a_locked_database_loses_nothing(
    maskwatch: Run, tmp_path: Path, look: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_DATABASE_WAIT_SECONDS", "0.2")
    assert maskwatch("db", "upgrade").code == 0
    holder = sqlite3.connect(tmp_path / "var" / "maskwatch.db")
    holder.execute("BEGIN EXCLUSIVE")
    assert maskwatch("parse", str(look), "--json").code == 0
    holder.close()
    assert _records(tmp_path) == []
    assert maskwatch("parse", str(look), "--json").code == 0
    assert len(_records(tmp_path)) == 2


def test_a_source_that_is_not_learnt_is_said_once(
    maskwatch: Run, look: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_LEARN_TRAFFIC", "true")
    said = maskwatch("parse", str(look), str(look), "--json")
    assert [json.loads(line)["verdict"] for line in said.out.splitlines()] == ["pass", "pass"]
    assert said.err.count("is not learnt yet (learning, 0 of 200)") == 1
    monkeypatch.setenv("MASKWATCH_LEARN_TRAFFIC", "false")
    assert "is not learnt yet" not in maskwatch("parse", str(look)).err
