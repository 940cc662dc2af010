"""The job ``expire_fingerprints``: forgets fingerprints beyond their window."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from jobs.context import JobContext, JobOutcome
from store.audit.actors import job
from store.audit.audit_log import Action, Entry, append
from store.phrases import phrase_count
from store.requests.fingerprints import forget_fingerprints

# Short transactions: the service waits for its turn to write meanwhile.
_BATCH, _MAX_BATCHES = 500, 200


def run(context: JobContext) -> JobOutcome:
    """Delete in batches until nothing old is left, or until the next round."""
    before = context.now - timedelta(hours=context.settings.retention.fingerprint_hours)
    count = 0
    for number in range(1, _MAX_BATCHES + 1):
        with context.database.write() as session:
            batch = forget_fingerprints(session, before, _BATCH)
            count += batch
            last = batch < _BATCH or number == _MAX_BATCHES
            if count and (number == 1 or last):
                _tell(session, context.now, before, count, last)
        if last:
            break
    return JobOutcome(f"{phrase_count(count, 'fingerprint')} forgotten.", count)


def _tell(session: Session, now: datetime, before: datetime, count: int, last: bool) -> None:
    """The first batch tells of all that follow, in case the run is cut off; the last one counts."""
    details = {"older_than": before.isoformat(), "so_far": count, "last": last}
    entry = Entry(job("expire_fingerprints"), Action.RETENTION_PRUNED, "fingerprints", details)
    append(session, entry, now)
