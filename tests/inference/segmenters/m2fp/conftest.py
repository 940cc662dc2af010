"""Checkpoints with code in them."""

import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch


class Canary:
    """Unpickling it writes a file: the least that hostile code would do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return eval, (f"open({str(self.path)!r}, 'w').close()",)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """The file that must never appear."""
    return tmp_path / "canary"


@pytest.fixture
def hostile(canary: Path) -> dict[str, bytes]:
    """Checkpoints with code in them, by how they are packed."""
    zipped, legacy = BytesIO(), BytesIO()
    torch.save({"model": Canary(canary)}, zipped)
    torch.save({"model": Canary(canary)}, legacy, _use_new_zipfile_serialization=False)
    return {
        "zip": zipped.getvalue(),
        "legacy": legacy.getvalue(),
        "bare": pickle.dumps(Canary(canary)),
        "protocol0": pickle.dumps(Canary(canary), protocol=0),
    }
