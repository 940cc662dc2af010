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
class Kept:
    """What became of records.

    Attributes:
        acknowledged: records whose caller was told that they are durable.
        refused: records whose caller was told that they are not.
        spooled: acknowledged records that were in the spool when the fault was over.
        lost: acknowledged records that were neither in the database nor in the spool.
        twice: request ids that are stored more than once after the replay.
        broken: stored requests without their features.
    """

    acknowledged: int = 0
    refused: int = 0
    spooled: int = 0
    lost: int = 0
    twice: int = 0
    broken: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        sums = (
            mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)
        )
        return Kept(*sums)


def killed(settings: StoreSettings, rounds: int, seed: int = 0) -> Kept:
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
            Kept(),
        )


def outage(settings: StoreSettings, stop: Callable[[], None], start: Callable[[], None]) -> Kept:
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
        told: list[str] = []
        callers = [threads.submit(_call, recorder, n, over, told) for n in range(_CALLERS)]
        with _ending(over):
            _wait_until(lambda: len(told) > 50)
            stop()
            before = len(told)
            _wait_until(lambda: len(told) > before + 200)
            spooled = spool.backlog().records
            start()
            recorder.try_again()
            _wait_until(lambda: not recorder.is_behind())
            before = len(told)
            _wait_until(lambda: len(told) > before + 50)
        refused = sum(caller.result() for caller in callers)
    return _judged(settings, told, Kept(refused=refused, spooled=spooled))


def full_disk(settings: StoreSettings, records: int = 200) -> Kept:
    """Fill the disk that holds both database and spool, record, free it, look what is there.

    Args:
        settings: of a migrated database on a small disk of its own.
    """
    filling, told, refused = settings.store.var_dir / "filling", list[str](), 0
    with (
        closing(Database.open(settings)) as database,
        closing(Recorder(database, Spool(settings.store.var_dir), Metrics())) as recorder,
    ):
        for part in range(3):
            if part == 1:
                _fill(filling)
            if part == 2:
                filling.unlink()
                recorder.try_again()
            refused += _record_some(recorder, records, told)
    return _judged(settings, told, Kept(refused=refused))


def _round(settings: StoreSettings, database: Database, random: Random, with_backlog: bool) -> Kept:
    spool = Spool(settings.store.var_dir)
    told = []
    if with_backlog:
        left = [new_record(number) for number in range(_LEFT_IN_SPOOL)]
        spool.append(left)
        told = [record.request_id for record in left]
    told += _told_by_killed(settings, random.randrange(20, 400))
    spooled = spool.backlog().records
    return _judged(settings, told, Kept(spooled=spooled), database)


def _told_by_killed(settings: StoreSettings, acknowledgements: int) -> list[str]:
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
        told = [*first, *process.stdout.readlines()]
    if not all(told):
        raise FaultRunFailed("The recording process ended before it was killed.")
    return [line.decode().strip() for line in told]


def _judged(
    settings: StoreSettings, told: Sequence[str], kept: Kept, database: Database | None = None
) -> Kept:
    """Replay what waits, then hold the database against what callers were told."""
    if database is None:
        with closing(Database.open(settings)) as opened:
            return _judged(settings, told, kept, opened)
    _replay(settings, database)
    stored = _stored(database)
    return Kept(
        acknowledged=len(told),
        refused=kept.refused,
        spooled=kept.spooled,
        lost=sum(each not in stored for each in told),
        twice=sum(count > 1 for count in stored.values()),
        broken=_without_features(database),
    )


def _replay(settings: StoreSettings, database: Database) -> None:
    with closing(Recorder(database, Spool(settings.store.var_dir), Metrics())) as recorder:
        _wait_until(lambda: not recorder.is_behind())


def _stored(database: Database) -> Counter[str]:
    with database.read() as session:
        return Counter(session.scalars(select(RequestRow.request_id)))


def _without_features(database: Database) -> int:
    with database.read() as session:
        requests = session.scalar(select(func.count()).select_from(RequestRow)) or 0
        features = session.scalar(select(func.count()).select_from(features_table)) or 0
    return requests - features


def _call(recorder: Recorder, first: int, over: Event, told: list[str]) -> int:
    """Record until it is over; how many records were refused."""
    refused = 0
    for number in numbers(first, _CALLERS):
        if over.wait(_PAUSE_SECONDS):
            break
        refused += _record_one(recorder, number, told)
    return refused


def _record_some(recorder: Recorder, count: int, told: list[str]) -> int:
    return sum(_record_one(recorder, number, told) for number in range(count))


def _record_one(recorder: Recorder, number: int, told: list[str]) -> bool:
    """Record once; whether it was refused."""
    record = new_record(number)
    try:
        recorder.record(record)
    except NotRecorded:
        return True
    told.append(record.request_id)
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
def _ending(over: Event) -> Iterator[None]:
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
