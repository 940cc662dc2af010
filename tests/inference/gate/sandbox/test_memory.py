from pathlib import Path

import pytest

from inference.gate.sandbox.memory import PeakMemory


def test_the_peak_is_that_of_the_time_since_the_reset() -> None:
    memory = PeakMemory()
    bytearray(b"\1" * 200_000_000)
    memory.reset()
    low = memory.read()
    bytearray(b"\1" * 100_000_000)
    assert memory.read() - low > 90_000_000
    before = memory.read()
    memory.reset()
    assert memory.read() < before


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without a process file system."""
    monkeypatch.setattr(
        "inference.gate.sandbox.memory.os.open",
        lambda *_: (_ for _ in ()).throw(FileNotFoundError()),
    )


def test_a_system_that_does_not_tell_gives_zero(elsewhere: None) -> None:
    memory = PeakMemory()
    memory.reset()
    assert memory.read() == 0


def test_a_reset_that_is_refused_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memory, tries = PeakMemory(), []

    def refuse(*_: object) -> int:
        tries.append(1)
        raise PermissionError

    monkeypatch.setattr("inference.gate.sandbox.memory.os.pwrite", refuse)
    memory.reset()
    memory.reset()
    assert len(tries) == 1
    assert memory.read() > 0
