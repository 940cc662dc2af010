"""The job ``expire_fingerprints``: forgets fingerprints beyond their window."""

from datetime import timedelta

from jobs.context import JobContext, JobOutcome, counted
from store.fingerprints import forget_fingerprints

# Short transactions: the service waits for its turn to write meanwhile.
_BATCH, _MOST_BATCHES = 500, 200


def run(context: JobContext) -> JobOutcome:
    """Delete in batches until nothing old is left, or until the next round."""
    before = context.now - timedelta(hours=context.settings.fingerprint_hours)
    forgotten = 0
    for _ in range(_MOST_BATCHES):
        with context.database.write() as session:
            batch = forget_fingerprints(session, before, _BATCH)
        forgotten += batch
        if batch < _BATCH:
            break
    return JobOutcome(f"{counted(forgotten, 'fingerprint')} forgotten.", forgotten)
