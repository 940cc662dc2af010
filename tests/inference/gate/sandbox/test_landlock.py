"""Landlock alone, without the system call filter, so that it is seen to hold by itself."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.gate.sandbox import landlock

Confined = Callable[..., "subprocess.CompletedProcess[str]"]
LOCK = "seccomp.forbid_new_privileges(); landlock.give_up_files_and_ports()"
DENIED = "PermissionError 13"


def _offered(version: int) -> None:
    if landlock.version() < version:
        pytest.skip(f"this kernel offers Landlock {landlock.version()}; {version} is needed")


@pytest.mark.parametrize(
    "attempt",
    [
        "open({file!r}).read()",
        "open({file!r}, 'a')",
        "open({new!r}, 'x')",
        "os.listdir({folder!r})",
        "os.mkdir({new!r})",
        "os.remove({file!r})",
        "os.symlink({file!r}, {new!r})",
        "os.mkfifo({new!r})",
        "os.execv('/proc/self/exe', ['python', '-c', ''])",
    ],
)
def test_files_are_out_of_reach(confined: Confined, tmp_path: Path, attempt: str) -> None:
    _offered(1)
    file, new = tmp_path / "file", tmp_path / "new"
    file.write_text("kept")
    names = {"file": str(file), "new": str(new), "folder": str(tmp_path)}
    assert confined("", LOCK, attempt.format(**names)).stdout == DENIED
    assert {path.name for path in tmp_path.iterdir()} == {"file"}
    assert file.read_text() == "kept"


@pytest.mark.parametrize("attempt", ["c.connect(('127.0.0.1', 9))", "c.bind(('127.0.0.1', 0))"])
def test_ports_are_out_of_reach(confined: Confined, attempt: str) -> None:
    _offered(4)
    assert confined("c = socket.socket()", LOCK, attempt).stdout == DENIED


def test_processes_outside_cannot_be_signalled(confined: Confined) -> None:
    _offered(6)
    found = confined("parent = os.getppid()", LOCK, "os.kill(parent, 0)")
    assert found.stdout == "PermissionError 1"


def test_files_that_are_open_stay_so(confined: Confined, tmp_path: Path) -> None:
    _offered(1)
    file = tmp_path / "file"
    file.write_text("kept")
    found = confined(f"opened = open({str(file)!r})", LOCK, "assert opened.read() == 'kept'")
    assert found.stdout == "succeeded"


def test_it_says_which_version_is_in_force(confined: Confined) -> None:
    lock = "seccomp.forbid_new_privileges(); found = landlock.give_up_files_and_ports()"
    answer = confined("", lock, "os.write(1, str(found).encode())").stdout
    assert answer == f"{landlock.version()}succeeded"


def test_without_no_new_privileges_only_the_privileged_may_ask(confined: Confined) -> None:
    _offered(1)
    drop = "os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)"
    prepare = f"if os.getuid() == 0: {drop}"
    found = confined(prepare, "", "landlock.give_up_files_and_ports()")
    assert found.stdout == "PermissionError 1"
