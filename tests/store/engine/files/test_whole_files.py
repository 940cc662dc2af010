"""What commands write is whole, and takes the place of nothing that is no file."""

import os
import stat
from pathlib import Path
from threading import Thread

from store.engine.files.whole_files import write_result


def test_a_file_is_its_owners_unless_a_mode_is_given(tmp_path: Path) -> None:
    own, shared = tmp_path / "own", tmp_path / "shared"
    write_result(own, b"a")
    write_result(shared, b"b", 0o644)
    modes = [stat.S_IMODE(file.stat().st_mode) for file in (own, shared)]
    umask = os.umask(0o077)
    os.umask(umask)
    assert modes == [0o600 & ~umask, 0o644 & ~umask]


def test_a_link_stays_and_what_it_names_is_written(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to(file)
    write_result(link, b"a")
    assert link.is_symlink()
    assert file.read_bytes() == b"a"


def test_a_pipe_takes_it_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_result(pipe, b"a")
    reader.join()
    assert read == [b"a"]
    assert pipe.is_fifo()
