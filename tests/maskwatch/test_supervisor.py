"""Three processes as one: restarted when they die, gone when told to stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maskwatch.supervisor import ProcessDied, Supervisor, run
from tests.waiting import PATIENCE_SECONDS, wait_for


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    own = {"VAR_DIR": str(tmp_path / "var"), "PORT": "0", "DASHBOARD_PORT": "0"}
    return dict(os.environ) | {f"MASKWATCH_{name}": value for name, value in own.items()}


def test_a_process_that_dies_is_started_again(environment: dict[str, str]) -> None:
    others = set(_children_of(os.getpid()))
    supervisor = Supervisor(environment, names=("jobs",))
    supervisor.start()
    try:
        (first,) = set(_children_of(os.getpid())) - others
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: not _lives(first))
        supervisor.check()
        (second,) = set(_children_of(os.getpid())) - others
        assert second != first
        assert _lives(second)
    finally:
        supervisor.stop()
    assert not _lives(second)


def test_a_process_that_cannot_start_ends_the_others(
    environment: dict[str, str], tmp_path: Path
) -> None:
    others = set(_children_of(os.getpid()))
    broken = environment | {"MASKWATCH_MODEL": "gone.onnx"}
    supervisor = Supervisor(broken, names=("jobs", "serve"), logs=tmp_path)
    with pytest.raises(ProcessDied, match=r"`maskwatch serve` .* gone\.onnx"):
        run(supervisor, lambda: None)
    assert not set(_children_of(os.getpid())) - others


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_process_behind(
    environment: dict[str, str], how: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "maskwatch", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(lambda: len(_children_of(process.pid)) == 3)
    children = _children_of(process.pid)
    process.send_signal(how)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert not any(_lives(child) for child in children)
