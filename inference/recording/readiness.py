"""Whether the next upload would be recorded, tried out and not guessed."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Self

import structlog

from inference.recording.recorder import Recorder
from store.engine.database import Database, StoreUnavailable
from store.engine.files.disk_room import write_probe
from store.spool.spool import NotRecorded

_log = structlog.get_logger(__name__)
_PROBE_SECONDS = 2.0


class Readiness(StrEnum):
    """What ``/readyz`` says.

    With ``DEGRADED``, records go to one of database and spool; with ``UNAVAILABLE`` to neither, so
    that every upload would be refused.
    """

    READY = "ready"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"

    @classmethod
    def of(cls, *, database: bool, spool: bool) -> "Readiness":
        """From whether each of them takes records."""
        if database and spool:
            return cls.READY
        return cls.DEGRADED if database or spool else cls.UNAVAILABLE


class DiskProbe:
    """Whether files can be written to a folder; looked at no more than every two seconds.

    Whoever asks more often, and anybody may ask, gets the last answer and costs the disk nothing.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = Lock()
        self._next_at = -1.0
        self._takes_files = True

    def takes_files(self) -> bool:
        """The answer of this look or of the last one."""
        with self._lock:
            if self._clock() >= self._next_at:
                self._takes_files = self._look()
                self._next_at = self._clock() + _PROBE_SECONDS
            return self._takes_files

    def _look(self) -> bool:
        try:
            write_probe(self._folder)
        except OSError as error:
            _log.error("disk takes no files", folder=str(self._folder), why=error.strerror)
            return False
        return True


@dataclass(frozen=True)
class RecordRoom:
    """Where the next record would go.

    Attributes:
        spool: of the spool's folder.
        disk: of the folder of the database's file; ``None`` if a server has it.
    """

    database: Database
    recorder: Recorder
    spool: DiskProbe
    disk: DiskProbe | None

    @classmethod
    def of(cls, database: Database, recorder: Recorder, var_dir: Path) -> Self:
        """With probes of the folders that are written to."""
        disk = None if database.file is None else DiskProbe(database.file.parent)
        return cls(database, recorder, DiskProbe(var_dir / "spool"), disk)

    def look(self) -> Readiness:
        """Whether the next upload would be recorded, and whether in the database at once."""
        return Readiness.of(database=self._database_takes_records(), spool=self.spool.takes_files())

    def _database_takes_records(self) -> bool:
        """Also not while records wait in the spool: new ones go behind them."""
        try:
            with self.database.read() as session:
                session.connection()
            if not self.recorder.is_behind():
                return self.disk is None or self.disk.takes_files()
            self.recorder.try_again()
        except (StoreUnavailable, NotRecorded):
            pass
        return False
