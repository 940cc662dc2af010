"""What the service knows of the sources that it serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import structlog

from detectors.baseline.baseline import Baseline
from detectors.baseline.baseline_text import to_json
from detectors.baseline.phases import Phase, SourceState
from inference.ensemble.baselines import SHIPPED, Baselines
from inference.fresh_copy import FreshCopy, Marks
from inference.metrics import Metrics
from store.audit.actors import service
from store.baselines.baselines import NewBaseline, Origin, add_baseline
from store.baselines.sources import ensure_source, read_states
from store.engine.change_marks import Mark
from store.engine.database import Database, StoreUnavailable

_log = structlog.get_logger(__name__)
_UNKNOWN = SourceState()


class Sources(Protocol):
    """Says what is known of a source."""

    def state_of(self, digest: str) -> SourceState:
        """What is known of the source of a digest."""
        ...


@dataclass(frozen=True)
class GivenSources:
    """Sources of which all is known from files, and nothing is learnt."""

    baselines: Baselines

    def state_of(self, digest: str) -> SourceState:
        """In force, with the baseline and the limits of the files."""
        baselines = self.baselines
        return SourceState(Phase.IN_FORCE, baselines.of(digest), baselines.limits_of(digest))


class LearntSources(FreshCopy):
    """What the job ``learn_baseline`` learnt, kept fresh.

    A source that nobody knows yet is learning. While the database is away the last known state
    holds.
    """

    def __init__(self, database: Database, metrics: Metrics, file: Path | None = None) -> None:
        """Do nothing yet.

        Args:
            file: the baseline that an operator made, watched for changes.
        """
        super().__init__("sources", "state of the sources", database, metrics)
        self._mark: int | None = None
        self._states: Mapping[str, SourceState] = {}
        self._file = None if file is None else _WatchedFile(file)

    def state_of(self, digest: str) -> SourceState:
        """The last known state."""
        return self._states.get(digest, _UNKNOWN)

    def offer(self, digest: str, baselines: Baselines) -> None:
        """Let the job test the traffic of a source against its baseline of a file, if it has one.

        Nothing is in force by that.

        Raises:
            StoreUnavailable: it cannot be written down.
        """
        now, baseline = datetime.now(UTC), baselines.of(digest)
        with self._database.write() as session:
            ensure_source(session, digest, now)
            if baseline is not None:
                new = describe_baseline(baseline)
                add_baseline(session, new, service("serve"), now)

    def _read_if_changed(self, marks: Marks) -> None:
        if self._file is not None:
            self._file.look()
        if marks[Mark.SOURCES] == self._mark:
            return
        # Before the rest: what cannot be read is not read again several times a second.
        self._mark = marks[Mark.SOURCES]
        try:
            with self._database.read() as session:
                self._states = read_states(session)
        except StoreUnavailable:
            self._mark = None
            raise


def describe_baseline(baseline: Baseline) -> NewBaseline:
    """A baseline of a file as the store keeps it."""
    is_shipped = Baselines.read(SHIPPED).of(baseline.segmenter) == baseline
    origin = Origin.SHIPPED if is_shipped else Origin.FILE
    return NewBaseline(baseline.segmenter, origin, to_json(baseline), len(baseline.scores))


class _WatchedFile:
    """Says once that a file is not any more what was read of it at the start."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._digest = self._hash()
        self._has_changed = False

    def look(self) -> None:
        """Compare, and log the first difference."""
        if self._has_changed or self._hash() == self._digest:
            return
        self._has_changed = True
        _log.warning(
            "the baseline's file changed on disk: what was read at the start still counts; "
            "start again to offer the new one",
            file=str(self._file),
        )

    def _hash(self) -> str | None:
        try:
            return sha256(self._file.read_bytes()).hexdigest()
        except OSError:
            return None
