"""What a database, a disk or a process that fails may not do: lose an acknowledged record."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic, sleep

from sqlalchemy import func, select

from bench.store.recording import new_record, numbers
from detectors.errors import MaskwatchError
from inference.metrics import Metrics
from inference.recording.recorder import Recorder
from store.configuration.names import PREFIX
from store.engine.database import Database
from store.settings import StoreSettings
from store.spool.spool import NotRecorded, Spool
from store.tables.request_tables import RequestRow, features_table

_WAIT_SECONDS = 120.0
# Together 200 records a second at most.
_CALLERS, _PAUSE_SECONDS = 4, 0.02
_LEFT_IN_SPOOL = 1_500
_FILLING_BYTES = 65_536


class FaultRunFailed(MaskwatchError):
    """A measurement did not come to its end."""


@dataclass(frozen=True)
class Tally:
    """What became of records.

    Attributes:
        acknowledgements: records whose caller was told that they are durable.
        refusals: records whose caller was told that they are not.
        backlog: acknowledged records that were in the spool when the fault was over.
        losses: acknowledged records that were neither in the database nor in the spool.
        doubles: request ids that are stored more than once after the replay.
        incomplete: stored requests without their features.
    """

    acknowledgements: int = 0
    refusals: int = 0
    backlog: int = 0
    losses: int = 0
    doubles: int = 0
    incomplete: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        sums = (
            mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)
        )
        return Tally(*sums)


def kill_recorder(settings: StoreSettings, rounds: int, seed: int = 0) -> Tally:
    """Kill a recording process with SIGKILL, again and again; look what is left each time.

    In every second round it begins with a full spool, so that it dies while it replays.

    Args:
        settings: of a migrated database that nobody else writes to.

    Raises:
        FaultRunFailed: the process records nothing.
    """
    random = Random(seed)  # noqa: S311 - a repeatable choice, no secret
    with closing(Database.open(settings)) as database:
        return sum(
            (_round(settings, database, random, number % 2 == 1) for number in range(rounds)),
            Tally(),
        )


def outage(settings: StoreSettings, stop: Callable[[], None], start: Callable[[], None]) -> Tally:
    """Stop the database and start it again while records flow.

    Raises:
        FaultRunFailed: it does not come back, or the spool is not replayed.
    """
    over = Event()
    spool = Spool(settings.store.var_dir)
    with (
        closing(Database.open(settings)) as database,
        closing(Recorder(database, spool, Metrics())) as recorder,
        ThreadPoolExecutor(_CALLERS) as threads,
    ):
        ids: list[str] = []
        callers = [threads.submit(_call, recorder, n, over, ids) for n in range(_CALLERS)]
        with _set_at_end(over):
            _wait_until(lambda: len(ids) > 50)
            stop()
            before = len(ids)
            _wait_until(lambda: len(ids) > before + 200)
            backlog = spool.backlog().records
            start()
            recorder.try_again()
            _wait_until(lambda: not recorder.is_behind())
            before = len(ids)
            _wait_until(lambda: len(ids) > before + 50)
        refusals = sum(caller.result() for caller in callers)
    return _judge(settings, ids, Tally(refusals=refusals, backlog=backlog))


def full_disk(settings: StoreSettings, records: int = 200) -> Tally:
    """Fill the disk that holds both database and spool, record, free it, look what is there.

    Args:
        settings: of a migrated database on a small disk of its own.
    """
    filler, ids, refusals = settings.store.var_dir / "filling", list[str](), 0
    with (
        closing(Database.open(settings)) as database,
        closing(Recorder(database, Spool(settings.store.var_dir), Metrics())) as recorder,
    ):
        for part in range(3):
            if part == 1:
                _fill(filler)
            if part == 2:
                filler.unlink()
                recorder.try_again()
            refusals += _record_some(recorder, records, ids)
    return _judge(settings, ids, Tally(refusals=refusals))


def _round(
    settings: StoreSettings, database: Database, random: Random, with_backlog: bool
) -> Tally:
    spool = Spool(settings.store.var_dir)
    ids = []
    if with_backlog:
        records = [new_record(number) for number in range(_LEFT_IN_SPOOL)]
        spool.append(records)
        ids = [record.request_id for record in records]
    ids += _record_until_kill(settings, random.randrange(20, 400))
    backlog = spool.backlog().records
    return _judge(settings, ids, Tally(backlog=backlog), database)


def _record_until_kill(settings: StoreSettings, acknowledgements: int) -> list[str]:
    """Request ids that a process acknowledged before it was killed."""
    environment = os.environ | {
        f"{PREFIX}VAR_DIR": str(settings.store.var_dir),
        f"{PREFIX}DATABASE_URL": settings.store.effective_database_url(),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "bench.store.recording"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        first = [process.stdout.readline() for _ in range(acknowledgements)]
        process.kill()
        lines = [*first, *process.stdout.readlines()]
    if not all(lines):
        raise FaultRunFailed("The recording process ended before it was killed.")
    return [line.decode().strip() for line in lines]


def _judge(
    settings: StoreSettings, ids: Sequence[str], tally: Tally, database: Database | None = None
) -> Tally:
    """Replay what waits, then hold the database against what callers were told."""
    if database is None:
        with closing(Database.open(settings)) as new_database:
            return _judge(settings, ids, tally, new_database)
    _replay(settings, database)
    counts = _count_ids(database)
    return Tally(
        acknowledgements=len(ids),
        refusals=tally.refusals,
        backlog=tally.backlog,
        losses=sum(each not in counts for each in ids),
        doubles=sum(count > 1 for count in counts.values()),
        incomplete=_without_features(database),
    )


def _replay(settings: StoreSettings, database: Database) -> None:
    with closing(Recorder(database, Spool(settings.store.var_dir), Metrics())) as recorder:
        _wait_until(lambda: not recorder.is_behind())


def _count_ids(database: Database) -> Counter[str]:
    with database.read() as session:
        return Counter(session.scalars(select(RequestRow.request_id)))


def _without_features(database: Database) -> int:
    with database.read() as session:
        requests = session.scalar(select(func.count()).select_from(RequestRow)) or 0
        features = session.scalar(select(func.count()).select_from(features_table)) or 0
    return requests - features


def _call(recorder: Recorder, first: int, over: Event, ids: list[str]) -> int:
    """Record until it is over; how many records were refused."""
    refusals = 0
    for number in numbers(first, _CALLERS):
        if over.wait(_PAUSE_SECONDS):
            break
        refusals += _record_one(recorder, number, ids)
    return refusals


def _record_some(recorder: Recorder, count: int, ids: list[str]) -> int:
    return sum(_record_one(recorder, number, ids) for number in range(count))


def _record_one(recorder: Recorder, number: int, ids: list[str]) -> bool:
    """Record once; whether it was refused."""
    record = new_record(number)
    try:
        recorder.record(record)
    except NotRecorded:
        return True
    ids.append(record.request_id)
    return False


def _fill(path: Path) -> None:
    """Write a file until the disk is full to its last page."""
    size = _FILLING_BYTES
    with path.open("wb", buffering=0) as file:
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2


@contextmanager
def _set_at_end(over: Event) -> Iterator[None]:
    try:
        yield
    finally:
        over.set()


def _wait_until(condition: Callable[[], bool]) -> None:
    give_up_at = monotonic() + _WAIT_SECONDS
    while not condition():
        if monotonic() > give_up_at:
            raise FaultRunFailed(f"It did not happen within {_WAIT_SECONDS:.0f} seconds.")
        sleep(0.01)
