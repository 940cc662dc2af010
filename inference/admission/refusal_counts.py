"""Who is turned away without a record of its own, and how often: counted here, stored now and then.

An answer does not wait for its count. A process that is killed loses those of the last seconds.
"""

from collections import Counter
from datetime import datetime
from threading import Event, Lock, Thread

import structlog

from detectors.evidence.kinds import KINDS
from inference.metrics import Metrics
from inference.refusals import Refusal
from store.counts.period_counts import OTHERS
from store.counts.turned_away import Minute, add_turned_away
from store.engine.database import Database

_log = structlog.get_logger(__name__)
_MAX_NAMES = 512
_STOP_SECONDS = 5.0
_MINUTE_SECONDS = 60


class RefusalCounts:
    """Adds what it counts to the roll-ups from a thread of its own.

    At most ``most`` clients are told apart between two times of storing; whoever comes then under a
    new name is counted among the others. While the database is away, counts wait.
    """

    def __init__(self, database: Database, metrics: Metrics, most: int = _MAX_NAMES) -> None:
        self._database = database
        self._metrics = metrics
        self._most = most
        self._counts: Counter[Minute] = Counter()
        self._lock = Lock()
        self._is_behind = False
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self, seconds: float) -> None:
        """Store the counts every so many seconds, until :meth:`close`."""
        self._thread = Thread(
            target=self._keep_storing, args=(seconds,), name="turned-away", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the thread and store what is left."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        self._try_to_store()

    def count(self, client: str, refusal: Refusal, now: datetime) -> None:
        """Count one request."""
        seconds = int(now.timestamp())
        kind, minute = KINDS[refusal.code], seconds - seconds % _MINUTE_SECONDS
        with self._lock:
            is_known = (kind, client, minute) in self._counts or len(self._counts) < self._most
            self._counts[kind, client if is_known else OTHERS, minute] += 1

    def store(self) -> None:
        """Store what was counted since the last time.

        Raises:
            StoreUnavailable: the database is away; nothing is lost.
        """
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with self._database.write() as session:
                add_turned_away(session, counts)
        except BaseException:
            with self._lock:
                self._counts += counts
            raise

    def _keep_storing(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            self._try_to_store()

    def _try_to_store(self) -> None:
        """Store the counts; a fault is counted, the first of a row logged, and the counts wait."""
        try:
            self.store()
        except Exception as error:  # noqa: BLE001 - a thread that ends would store nothing more
            self._metrics.faults.labels("turned_away").inc()
            if not self._is_behind:
                _log.warning("counts of refusals wait", why=str(error))
            self._is_behind = True
        else:
            self._is_behind = False
