"""A store with old and young requests to remove."""

import pytest

from jobs.context import JobContext
from jobs.keeping import prune_batches
from tests.jobs.keeping.prune.world import World


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune_batches, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(prune_batches, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def world(context: JobContext) -> World:
    return World(context)
