"""Writes down what the sources are called that others tell of."""

from threading import Lock
from time import monotonic

import structlog
from sqlalchemy.exc import IntegrityError

from store.baselines.source_names import name_source
from store.engine.database import Database
from store.engine.faults import StoreUnavailable

_log = structlog.get_logger(__name__)

# Whoever reports chooses the labels, and new labels are a new source.
_MAX_SOURCES = 256
_RETRY_SECONDS = 60.0


class SourceNamer:
    """Names each source once, and no more than some hundred; the others show as digests.

    Safe to share between threads. While the database is away nothing is named, and nobody waits.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._named = set[str]()
        self._free_at = 0.0
        self._lock = Lock()

    def note(self, digest: str, name: str) -> None:
        """Write down what a source is called, unless that was done."""
        with self._lock:
            is_known = digest in self._named or len(self._named) >= _MAX_SOURCES
            if is_known or monotonic() < self._free_at:
                return
            if self._write(digest, name):
                self._named.add(digest)
            else:
                self._free_at = monotonic() + _RETRY_SECONDS

    def _write(self, digest: str, name: str) -> bool:
        try:
            with self._database.write() as session:
                name_source(session, digest, name)
        except IntegrityError:
            # Another process has named it at the same moment.
            return True
        except StoreUnavailable as error:
            _log.warning("source not named", why=str(error))
            return False
        return True
