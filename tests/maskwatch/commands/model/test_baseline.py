"""``maskwatch model learn-baseline``: too few pictures, and files that cannot be written."""

import sqlite3
from pathlib import Path

import pytest
from PIL import Image as Pillow

from detectors.baseline.baseline import Baseline, BaselineError
from detectors.baseline.baseline_text import from_json
from inference.ensemble.baselines import SHIPPED, read_baseline
from inference.figures import draw_figure
from inference.service import build_service
from inference.settings import ServiceSettings
from maskwatch.commands.model.baseline import learn_baseline, write_baseline
from maskwatch.commands.pictures.picture_files import FileProblem
from tests.makers import SECRET
from tests.maskwatch.conftest import Run
from tests.small_disk import fill_disk, small_disk


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A folder of three small drawn figures and one file that is no picture."""
    folder = tmp_path / "clean"
    folder.mkdir()
    for seed in range(3):
        Pillow.fromarray(draw_figure(seed, (64, 96)).image).save(folder / f"{seed}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_too_few_pictures_are_said_and_nothing_is_written(maskwatch: Run, tmp_path: Path) -> None:
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "notes.txt").write_text("no picture")
    said = maskwatch("baseline", str(tmp_path / "clean"), "--out", str(tmp_path / "own.json"))
    assert said.code == 1
    assert "needs at least 30 clean pictures" in said.err
    assert not (tmp_path / "own.json").exists()


def test_every_look_is_taken_and_recorded_without_accusing(tmp_path: Path, clean: Path) -> None:
    """Of three pictures one calibrates; the file that is no picture is left out."""
    service = build_service(
        ServiceSettings(var_dir=tmp_path, fingerprint_salt=SECRET, ensemble_budget=0)
    )
    with pytest.raises(BaselineError, match="there are 1"):
        learn_baseline(service, [clean])
    service.close()
    with sqlite3.connect(tmp_path / "maskwatch.db") as connection:
        rows = connection.execute(
            "SELECT client, glance_divergence IS NULL, js_consensus IS NULL"
            " FROM requests JOIN request_features ON request_pk = requests.id"
            " WHERE stage = 'parsed'"
        ).fetchall()
        accused = connection.execute("SELECT rule FROM findings").fetchall()
    connection.close()
    assert rows == [("cli:local", 0, 0)] * 3
    assert ("adversarial_picture",) not in accused


def test_a_missing_folder_is_said(maskwatch: Run, tmp_path: Path) -> None:
    said = maskwatch(
        "model", "learn-baseline", str(tmp_path / "gone"), "--out", str(tmp_path / "own.json")
    )
    assert said.code == 1
    assert f"The file {tmp_path / 'gone'} cannot be read" in said.err


def test_a_written_baseline_is_read_back(tmp_path: Path) -> None:
    shipped = _shipped()
    write_baseline(shipped, tmp_path / "own.json")
    assert from_json((tmp_path / "own.json").read_text(encoding="utf-8")) == shipped


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="cannot be written: No such file"):
        write_baseline(_shipped(), tmp_path / "gone" / "own.json")


def test_a_full_disk_leaves_the_baseline_that_is_in_force(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        file = disk / "own.json"
        write_baseline(_shipped(), file)
        before = file.read_bytes()
        fill_disk(disk)
        with pytest.raises(FileProblem, match="cannot be written: No space left"):
            write_baseline(_shipped(), file)
        assert file.read_bytes() == before


def _shipped() -> Baseline:
    return read_baseline(SHIPPED)
