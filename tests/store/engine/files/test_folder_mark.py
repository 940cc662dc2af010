"""The mark by which processes know that they work in one folder."""

from pathlib import Path

from store.engine.files.folder_mark import mark_folder


def test_a_folder_has_one_mark_whatever_path_leads_there(tmp_path: Path) -> None:
    folder, other, link = tmp_path / "var", tmp_path / "other", tmp_path / "link"
    folder.mkdir()
    other.mkdir()
    link.symlink_to(folder)
    mark = mark_folder(folder)
    assert mark is not None
    assert mark == mark_folder(link) == mark_folder(tmp_path / "other" / ".." / "var")
    assert mark != mark_folder(other)
    assert mark_folder(tmp_path / "gone") is None
