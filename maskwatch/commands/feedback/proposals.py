"""What ``maskwatch feedback propose`` reads."""

from collections.abc import Iterator
from datetime import datetime

from maskwatch.commands.printable import escape_unprintable
from store.engine.existing import existing_database
from store.pages.vetted_views import OddVetted, propose_vetted
from store.settings import StoreSettings


def describe_proposals(settings: StoreSettings, now: datetime, most: int) -> Iterator[str]:
    """A line for each request that a person should vet, the oddest first.

    Raises:
        MaskwatchError: the database does not exist or cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        proposals = propose_vetted(session, now, most)
    if not proposals:
        yield "Nothing is left to vet: no scored request of seven days that passed is unjudged."
        return
    yield from map(_describe, proposals)
    yield "Say what each is with `maskwatch feedback confirm` or `dismiss`, or on its page."


def _describe(proposal: OddVetted) -> str:
    client = escape_unprintable(proposal.client)
    return (
        f"{proposal.request_id}  p-value {proposal.p_value:.4f}  "
        f"{proposal.received_at:%Y-%m-%d %H:%M}  {client}"
    )
