"""What lies on disk against what was loaded."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from store.models.model_files import (
    MAX_FILES,
    Differences,
    UnusableFile,
    differences,
    escape_name,
    hash_model_file,
    model_names,
    read_model_file,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "inner").mkdir(parents=True)
    for name in ("a.pt", "b.json", "inner/c.txt"):
        (folder / name).write_text(name)
    return folder


def _loaded(model: Path) -> dict[str, str]:
    return {name: hash_model_file(model, name).sha256 for name in model_names(model)}


def test_files_that_did_not_change_do_not_differ(model: Path) -> None:
    loaded = _loaded(model)
    assert loaded["a.pt"] == sha256(b"a.pt").hexdigest()
    (model / "model.sig").write_text("a signature is no part of the model")
    assert differences(model, loaded) == Differences()
    assert differences(model, loaded).total == 0


def test_every_kind_of_difference_has_its_names(model: Path) -> None:
    loaded = _loaded(model)
    (model / "a.pt").write_text("A.pt")
    (model / "b.json").unlink()
    (model / "inner" / "c.txt").unlink()
    (model / "inner" / "c.txt").mkdir()
    (model / "new").write_text("")
    (model / "link").symlink_to("a.pt")
    found = differences(model, loaded)
    assert found == Differences(
        changed=("a.pt",),
        missing=("b.json",),
        added=("link", "new"),
        unreadable=("inner/c.txt",),
    )
    assert found.total == 5


def test_a_file_that_became_a_link_or_a_pipe_has_changed(model: Path) -> None:
    loaded = _loaded(model)
    (model / "a.pt").rename(model / "aside")
    (model / "a.pt").symlink_to("aside")
    (model / "b.json").unlink()
    os.mkfifo(model / "b.json")
    assert differences(model, loaded).changed == ("a.pt", "b.json")


def test_a_model_that_is_gone_is_missing(model: Path, tmp_path: Path) -> None:
    loaded = _loaded(model)
    model.rename(tmp_path / "moved")
    assert differences(model, loaded).missing == ("a.pt", "b.json", "inner/c.txt")
    model.symlink_to(tmp_path / "moved")
    assert differences(model, loaded).unreadable == ("a.pt", "b.json", "inner/c.txt")


def test_a_model_of_one_file(tmp_path: Path) -> None:
    file = tmp_path / "weights.onnx"
    file.write_bytes(b"weights")
    loaded = _loaded(file)
    assert differences(file, loaded) == Differences()
    file.write_bytes(b"Weights")
    assert differences(file, loaded).changed == ("weights.onnx",)
    file.unlink()
    assert differences(file, loaded).missing == ("weights.onnx",)
    file.mkdir()
    (file / "inside").write_text("")
    assert differences(file, loaded).total == 2


def test_a_folder_with_too_many_files_is_not_hashed(model: Path) -> None:
    for number in range(MAX_FILES):
        (model / f"{number}").touch()
    with pytest.raises(UnusableFile, match="more than 1000 files"):
        model_names(model)


def test_only_regular_files_are_read_and_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name, why in (("pipe", "no regular file"), ("link", "cannot be read"), ("gone", "No such")):
        with pytest.raises(UnusableFile, match=why):
            read_model_file(tmp_path / name)
        with pytest.raises(UnusableFile, match=why):
            hash_model_file(tmp_path, name)


def test_a_name_cannot_spoil_a_text() -> None:
    assert escape_name("weights.pt") == "weights.pt"
    assert "\n" not in escape_name("a\nSubject: b")
    assert escape_name("\udcff").isascii()
    assert len(escape_name("x" * 1000)) == 200
