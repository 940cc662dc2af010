"""Files that were uploaded are remembered by path, within bounds."""

from inference.upstream.kept_map import KeepLimits, KeptMap
from inference.upstream.uploaded_files import UploadedFiles

LIMITS = KeepLimits(max_items=2, max_bytes=10, max_seconds=60)


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_one_named_the_longest_ago_is_forgotten_first() -> None:
    files: UploadedFiles[str] = UploadedFiles(LIMITS)
    assert files.add("/a", "A", 1) + files.add("/b", "B", 1) == []
    assert files.find("/a") == "A"
    assert files.add("/c", "C", 1) == ["B"]
    assert [files.find(path) for path in ("/a", "/b", "/c")] == ["A", None, "C"]


def test_only_files_without_a_call_are_given_back() -> None:
    files: UploadedFiles[str] = UploadedFiles(LIMITS)
    files.add("/a", "A", 1)
    files.add("/b", "B", 1)
    files.note_call("/a")
    files.note_call("/unknown")
    assert (files.clear(), len(files)) == (["B"], 0)


def test_bytes_are_bounded_even_for_one() -> None:
    files: UploadedFiles[str] = UploadedFiles(LIMITS)
    files.add("/a", "A", 6)
    assert files.add("/b", "B", 6) == ["A"]
    assert files.add("/c", "C", 11) == ["B", "C"]
    assert len(files) == 0


def test_age_counts_from_the_last_call() -> None:
    clock = _Clock()
    files: UploadedFiles[str] = UploadedFiles(LIMITS, clock)
    files.add("/a", "A", 1)
    clock.now = 50.0
    assert files.find("/a") == "A"
    clock.now = 100.0
    assert (files.find("/a"), files.expire()) == ("A", [])
    clock.now = 161.0
    assert (files.find("/a"), files.expire()) == (None, ["A"])


def test_the_same_path_again_takes_the_place_of_the_first() -> None:
    kept: KeptMap[int] = KeptMap(LIMITS)
    kept.add("a", 1, 6)
    assert kept.add("a", 2, 6) == [1]
    assert (kept.take("a"), kept.take("a"), len(kept)) == (2, None, 0)
    assert kept.add("b", 3, 10) == []
