"""What ``maskwatch detectors`` changes of re-rankers, by hand and audited."""

from datetime import datetime

from jobs.settings import JobSettings
from maskwatch.commands.detectors.reranker_views import open_rerankers
from store.audit.actors import command_line, operator
from store.audit.reasons import read_reason
from store.engine.existing import existing_database
from store.models.rerankers import find_reranker, promote_reranker, roll_back_reranker


def promote_by_hand(settings: JobSettings, name: str, reason: str, now: datetime) -> str:
    """Put a re-ranker in force; what holds then.

    Raises:
        ReasonError: no reason was given, or none that can be kept.
        NoReranker: there is none of that name.
        RerankerError: its file is gone, was changed or is of another version.
        UntrustedModel: no accepted key signed it.
    """
    reason = read_reason(reason)
    with existing_database(settings) as database, database.write() as session:
        row = find_reranker(session, name)
        open_rerankers(settings).read(row)
        promote_reranker(session, row, command_line(operator()), now, reason)
        return f"Re-ranker r{row.id} ({row.digest[:12]}) orders the lists from now on."


def roll_back(settings: JobSettings, reason: str, now: datetime) -> str:
    """Go back to the re-ranker before the present one, or to p-values; what holds then.

    A file that cannot be read is no obstacle: lists then say so, and a further step leads on.

    Raises:
        ReasonError: no reason was given, or none that can be kept.
        NoWayBack: no re-ranker is in force.
    """
    reason = read_reason(reason)
    with existing_database(settings) as database, database.write() as session:
        row = roll_back_reranker(session, command_line(operator()), now, reason)
        if row is None:
            return "Lists are in the order of p-values from now on."
        return f"Re-ranker r{row.id} ({row.digest[:12]}) orders the lists from now on."
