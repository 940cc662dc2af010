"""Short turns in which things are removed, with room for the service and for readers between."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import sleep

from sqlalchemy.orm import Session

from jobs.context import JobContext
from store.engine.reader_locks import lock_for_pruning

RowCounts = Mapping[str, int]
"""How much was removed, by table or by what it is."""

# A batch is over in some hundredths of a second. In the pause the service takes its turn to write,
# which it looks for every few milliseconds.
BATCH = 500
MAX_BATCHES = 2000
_PAUSE_SECONDS = 0.02
# A scan begins every minute and is over in a second: whoever waits a little does not lose an hour.
_PATIENCE_SECONDS = 10.0


@contextmanager
def in_turn(context: JobContext) -> Iterator[Session]:
    """A transaction in which nobody reads for long.

    Raises:
        BeingRead: somebody reads.
    """
    with lock_for_pruning(context.database, _PATIENCE_SECONDS), context.database.write() as session:
        yield session
    sleep(_PAUSE_SECONDS)


def batches(context: JobContext, remove: Callable[[Session], RowCounts]) -> Iterator[RowCounts]:
    """Remove in turns until a batch finds nothing, or until the next round.

    Args:
        remove: removes a batch; empty or of zeros when there is nothing left.

    Raises:
        BeingRead: somebody reads.
    """
    for _ in range(MAX_BATCHES):
        with in_turn(context) as session:
            counts = remove(session)
        if not any(counts.values()):
            return
        yield counts
