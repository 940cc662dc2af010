"""The room that a folder takes on the disk."""

from pathlib import Path

from bench.footprint.install import measure_disk_mb


def test_a_file_with_two_names_counts_once_and_a_link_is_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    outside.write_bytes(bytes(50_000_000))
    one = folder / "inner" / "one"
    one.write_bytes(b"x" * 2_000_000)
    (folder / "two").hardlink_to(one)
    (folder / "three").symlink_to(outside)
    assert 2.0 <= measure_disk_mb(folder) < 2.5
