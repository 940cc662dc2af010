"""Content-addressed files, and the evidence kept in them."""

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.engine.database import Database
from store.engine.files.kept_files import FileStore, Removal
from store.requests.picture_store import (
    ENTROPY_MAP,
    PICTURE,
    FilesChecked,
    KeptPictures,
    PictureChanged,
    PictureStore,
)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@given(data=st.binary(max_size=200))
def test_any_bytes_come_back_under_their_digest(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = FileStore(tmp_path_factory.getbasetemp() / "any", ".bin")
    digest = store.put(data)
    assert digest == sha256(data).hexdigest()
    assert store.get(digest) == data


def test_the_same_bytes_are_kept_once_however_many_put_them(tmp_path: Path) -> None:
    store = FileStore(tmp_path, ".bin")
    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(store.put, [b"same"] * 20))
    assert digests == {sha256(b"same").hexdigest()}
    [file] = _files(tmp_path)
    assert file.read_bytes() == b"same"


def test_other_users_cannot_look_into_the_folder(tmp_path: Path) -> None:
    FileStore(tmp_path, "").put(b"private")
    [file] = _files(tmp_path)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_an_unknown_digest_has_no_bytes(tmp_path: Path) -> None:
    assert FileStore(tmp_path, ".bin").get("ab" * 32) is None


def test_of_a_long_file_only_so_many_bytes_are_read(tmp_path: Path) -> None:
    store = FileStore(tmp_path, ".bin")
    digest = store.put(b"0123456789")
    assert store.get(digest, 4) == b"0123"
    assert store.get(digest, 99) == store.get(digest) == b"0123456789"


def _age(path: Path, seconds: float) -> None:
    os.utime(path, (seconds, seconds))


def test_a_file_that_was_not_used_lately_can_be_removed(tmp_path: Path, now: datetime) -> None:
    store = FileStore(tmp_path, ".bin")
    digest = store.put(b"bytes")
    [path] = _files(tmp_path)
    _age(path, now.timestamp())
    assert store.remove(digest, now) == Removal(is_spared=True)
    assert store.get(digest) == b"bytes"
    _age(path, now.timestamp() - 1)
    assert store.remove(digest, now) == Removal(freed_bytes=5)
    assert store.remove(digest, now) == Removal()
    assert _files(tmp_path) == []


def test_to_put_a_file_again_is_to_use_it(tmp_path: Path) -> None:
    store = FileStore(tmp_path, ".bin")
    digest = store.put(b"bytes")
    _age(_files(tmp_path)[0], 0)
    before = datetime.now(UTC) - timedelta(minutes=1)
    store.put(b"bytes")
    assert store.remove(digest, before).is_spared


def test_files_are_put_whole_while_they_are_removed(tmp_path: Path) -> None:
    store = FileStore(tmp_path, ".bin")
    future = datetime.now(UTC) + timedelta(days=1)
    with ThreadPoolExecutor(4) as pool:
        removed = pool.map(lambda _: store.remove(sha256(b"x").hexdigest(), future), range(100))
        put = pool.map(lambda _: store.put(b"x"), range(100))
        assert len({*put}) == 1
        list(removed)
    digest = store.put(b"x")
    assert store.get(digest) == b"x"


def test_files_are_listed_and_what_was_cut_off_can_be_removed(
    tmp_path: Path, now: datetime
) -> None:
    store = FileStore(tmp_path, ".bin")
    digests = {store.put(data) for data in (b"a", b"b", b"c")}
    part = _files(tmp_path)[0].with_name(".cut.part")
    part.write_bytes(b"")
    assert {file.digest for file in store.files()} == digests
    assert {file.size_bytes for file in store.files()} == {1}
    _age(part, now.timestamp())
    assert store.remove_parts(now) == 0
    assert store.remove_parts(now + timedelta(seconds=1)) == 1
    assert len(_files(tmp_path)) == 3
    assert list(FileStore(tmp_path / "none", "").files()) == []


@pytest.mark.parametrize("name", ["", "ab", "../../etc/passwd", "AB" * 32, "ab" * 31 + "/a"])
def test_what_is_no_digest_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no SHA-256 digest"):
        FileStore(tmp_path, "").get(name)


def test_evidence_of_a_request_is_found_by_kind(
    database: Database, tmp_path: Path, add: Callable[..., int]
) -> None:
    store = PictureStore(tmp_path)
    kept = (store.put(PICTURE, b"a", "image/webp"), store.put(ENTROPY_MAP, b"b", "image/webp"))
    request, other = add(evidence=kept), add(evidence=kept[:1])
    with database.read() as session:
        both = store.of_request(session, request)
        assert both == KeptPictures({PICTURE: b"a", ENTROPY_MAP: b"b"}, frozenset())
        assert store.of_request(session, other).pictures == {PICTURE: b"a"}
        assert not store.of_request(session, 999)


def test_evidence_whose_file_was_pruned_is_left_out(
    database: Database, tmp_path: Path, add: Callable[..., int]
) -> None:
    store = PictureStore(tmp_path)
    kept = (store.put(PICTURE, b"a", "image/webp"), store.put(ENTROPY_MAP, b"b", "image/webp"))
    request = add(evidence=kept)
    [pruned] = [path for path in _files(tmp_path / "evidence") if path.name == kept[0].sha256]
    pruned.unlink()
    with database.read() as session:
        assert store.of_request(session, request).pictures == {ENTROPY_MAP: b"b"}
        assert store.check_all(session) == FilesChecked((kept[0].sha256,), ())


@pytest.mark.parametrize("forged", [b"", b"another", b"a" * 17_000_000])
def test_a_picture_that_was_changed_on_disk_is_never_handed_out(
    database: Database, tmp_path: Path, add: Callable[..., int], forged: bytes
) -> None:
    store = PictureStore(tmp_path)
    kept = (store.put(PICTURE, b"a", "image/webp"), store.put(ENTROPY_MAP, b"b", "image/webp"))
    request = add(evidence=kept)
    [file] = [path for path in _files(tmp_path / "evidence") if path.name == kept[0].sha256]
    file.write_bytes(forged)
    with database.read() as session:
        found = store.of_request(session, request)
        assert found == KeptPictures({ENTROPY_MAP: b"b"}, frozenset({PICTURE}))
        assert store.check_all(session) == FilesChecked((), (kept[0].sha256,))
    with pytest.raises(PictureChanged, match=f"{kept[0].sha256[:12]} was changed on disk"):
        store.read(kept[0].sha256)


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
def test_a_picture_that_the_disk_does_not_hand_out_hides_no_other(
    database: Database, tmp_path: Path, add: Callable[..., int]
) -> None:
    store = PictureStore(tmp_path)
    kept = (store.put(PICTURE, b"a", "image/webp"), store.put(ENTROPY_MAP, b"b", "image/webp"))
    request = add(evidence=kept)
    [file] = [path for path in _files(tmp_path / "evidence") if path.name == kept[0].sha256]
    file.unlink()
    # Nobody may read what lies at address 0: that is an error of the disk, for root as well.
    file.symlink_to("/proc/self/mem")
    with database.read() as session:
        found = store.of_request(session, request)
        assert found == KeptPictures({ENTROPY_MAP: b"b"}, frozenset({PICTURE}))
        assert store.check_all(session) == FilesChecked((), (kept[0].sha256,))


def test_a_write_that_is_cut_short_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("store.engine.files.whole_files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        FileStore(tmp_path, ".bin").put(b"picture")
    assert _files(tmp_path) == []
