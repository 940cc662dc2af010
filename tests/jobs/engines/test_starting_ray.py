"""What is found wrong before Ray is imported; nothing here starts it."""

import socket
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from jobs.engines import ray_engine
from jobs.engines.base import EngineUnusable
from jobs.engines.ray_engine import open_ray


def open_and_close(folder: Path) -> None:
    with open_ray(folder, None, 2):
        pass


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineUnusable, match=r"run `pip install 'maskwatch\[ray\]'`"):
        open_and_close(tmp_path)


def test_a_path_that_is_too_long_for_sockets_is_refused_and_left_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    with pytest.raises(EngineUnusable, match="bytes too long for Ray's sockets: set RAY_TMPDIR"):
        open_and_close(tmp_path)
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "gone"))
    with pytest.raises(EngineUnusable, match=r"gone for Ray's files cannot be written \(No such"):
        open_and_close(tmp_path)


def test_where_no_temporary_folder_can_be_written_the_var_folder_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def find_none() -> NoReturn:
        raise FileNotFoundError

    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(ray_engine, "gettempdir", find_none)
    assert ray_engine.find_base(tmp_path / "var") == tmp_path / "var"


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    # A port that is taken, and at which nobody listens.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        message = f"No Ray cluster is reached at {address}"
        with pytest.raises(EngineUnusable, match=message), open_ray(tmp_path, address, 2):
            pass


@pytest.mark.parametrize("address", ["here", "ray://", ":1", "here:x"])
def test_an_address_without_host_or_port_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(EngineUnusable, match="write HOST:PORT"), open_ray(tmp_path, address, 2):
        pass
