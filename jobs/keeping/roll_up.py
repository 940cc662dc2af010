"""The job ``roll_up``: counts new records by minute, hour and day, and keeps the counts small."""

from jobs.context import JobContext, JobOutcome
from store.counts.roll_up_upkeep import drop_old_clients, drop_old_counts, fold_names
from store.counts.roll_ups import roll_up
from store.phrases import phrase_count

# Short transactions: the service waits for its turn to write meanwhile.
_BATCH, _MAX_BATCHES = 2000, 200
_MAX_FOLDS = 50
_DROPPED = 5000


def run(context: JobContext) -> JobOutcome:
    """Count in batches until nothing is left, or until the next round."""
    count = _in_batches(context)
    _fold(context)
    with context.database.write() as session:
        drop_old_counts(session, context.now, _DROPPED)
        drop_old_clients(session, context.now, _DROPPED)
    return JobOutcome(f"{phrase_count(count, 'record')} rolled up.", count)


def _in_batches(context: JobContext) -> int:
    count = 0
    for _ in range(_MAX_BATCHES):
        with context.database.write() as session:
            batch = roll_up(session, context.now, _BATCH)
        count += batch
        if batch < _BATCH:
            break
    return count


def _fold(context: JobContext) -> None:
    for _ in range(_MAX_FOLDS):
        with context.database.write() as session:
            if not fold_names(session, context.now):
                return
