import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from jobs.context import JobContext
from jobs.leader import AlreadyRunning, leadership
from jobs.settings import JobSettings
from store.engine.database import Database
from tests.waiting import wait_for

LEADER = """
import sys
from jobs.leader import leadership
from store.engine.database import Database
from store.settings import StoreSettings

settings = StoreSettings()
with leadership(Database.open(settings), settings.store.var_dir):
    print("leading", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def rival(settings: JobSettings) -> Iterator[Database]:
    """What another process on the same database would have."""
    opened = Database.open(settings)
    yield opened
    opened.close()


def test_a_second_leader_is_refused_as_long_as_the_first_leads(
    context: JobContext, rival: Database
) -> None:
    var_dir = context.settings.store.var_dir
    refused = pytest.raises(AlreadyRunning, match="Another `maskwatch jobs` is running for")
    with leadership(context.database, var_dir):
        for _ in range(2):
            with refused, leadership(rival, var_dir):
                pass


def test_leadership_is_free_again_after_a_fault(context: JobContext, rival: Database) -> None:
    var_dir = context.settings.store.var_dir
    with suppress(ValueError), leadership(context.database, var_dir):
        raise ValueError
    with leadership(rival, var_dir):
        pass


def test_leadership_ends_with_a_killed_process(context: JobContext) -> None:
    settings = context.settings
    environment = os.environ | {
        "MASKWATCH_VAR_DIR": str(settings.store.var_dir),
        "MASKWATCH_DATABASE_URL": settings.store.effective_database_url(),
    }
    with Popen([sys.executable, "-c", LEADER], stdin=PIPE, stdout=PIPE, env=environment) as leader:
        assert leader.stdout is not None
        assert leader.stdout.readline() == b"leading\n"
        assert not leads(context.database, settings.store.var_dir)
        leader.kill()
    wait_for(lambda: leads(context.database, settings.store.var_dir))


def leads(database: Database, var_dir: Path) -> bool:
    try:
        with leadership(database, var_dir):
            return True
    except AlreadyRunning:
        return False
