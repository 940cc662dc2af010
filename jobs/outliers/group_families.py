"""Group families: outliers and findings that belong together become one thing to look at."""

from datetime import timedelta

from detectors.families.continuing import extend_families
from detectors.families.grouping import form_groups
from jobs.context import JobContext, JobOutcome, Skipped
from store.families.families import Change, FamiliesTaken, keep_families, read_looked
from store.families.read_crowd import read_crowd
from store.families.read_members import newest_keys, read_members
from store.phrases import phrase_count

SPAN = timedelta(days=7)
"""How far back unusual requests are grouped with new ones."""

_MAX_MEMBERS = 10_000


def run(context: JobContext) -> JobOutcome:
    """The job ``group_families``: reads and groups first, then writes all of it at once.

    Raises:
        Skipped: another process did the same meanwhile.
    """
    since = context.now - SPAN
    with context.database.read() as session:
        looked = read_looked(session, since)
        keys = newest_keys(session, since, _MAX_MEMBERS)
        new = [key for key in keys if key not in looked.keys]
        if not new:
            return JobOutcome("No unusual request is new.")
        members = read_members(session, keys)
        crowd = read_crowd(session, members, context.now, SPAN)
    extensions = extend_families(form_groups(members, crowd), looked.family_of)
    try:
        with context.database.write() as session:
            change = keep_families(session, members, extensions, looked, since, context.now)
    except FamiliesTaken as error:
        raise Skipped(str(error)) from None
    return JobOutcome(_sentence(len(new), change), len(new))


def _sentence(new: int, change: Change) -> str:
    return (
        f"Looked at {phrase_count(new, 'unusual request')}. Families: {change.formed} formed, "
        f"{change.grown} grown, {change.merged} merged into older ones."
    )
