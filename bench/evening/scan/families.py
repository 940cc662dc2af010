"""What the families of a scan name: one outlier leads to more of what its sender sent."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.families.members import Tie
from jobs.context import JobContext
from jobs.outliers import group_families
from store.requests.client_names import network_of
from store.tables.family_tables import FamilyMemberRow, FamilyRow
from store.tables.request_tables import RequestRow, ScoreRow


def name_requests(context: JobContext) -> frozenset[int]:
    """Group what was scanned, by the job; keys of all requests that families with outliers name.

    These are their members, and all requests of a client who ties members together: the family's
    page says who that is. A family that holds findings alone is no work of the scan.
    """
    group_families.run(context)
    with context.database.read() as session:
        family_of = _read_family_of(session)
        outliers = frozenset(session.scalars(select(ScoreRow.request_pk).where(ScoreRow.outlier)))
        called = frozenset(family for key, family in family_of.items() if key in outliers)
        members = frozenset(key for key, family in family_of.items() if family in called)
        return members | _list_requests(session, _list_clients(session, called))


def _read_family_of(session: Session) -> dict[int, int]:
    columns = select(FamilyMemberRow.request_pk, FamilyMemberRow.family_id)
    rows = session.execute(columns.where(FamilyMemberRow.family_id.is_not(None)))
    return {row.request_pk: row.family_id for row in rows}


def _list_clients(session: Session, families: frozenset[int]) -> frozenset[str]:
    """The clients who tie requests of these families."""
    rows = session.scalars(select(FamilyRow.shared).where(FamilyRow.id.in_(families)))
    return frozenset(
        thing["value"] for shared in rows for thing in shared if thing["tie"] == Tie.CLIENT
    )


def _list_requests(session: Session, clients: frozenset[str]) -> frozenset[int]:
    rows = session.execute(select(RequestRow.id, RequestRow.client))
    return frozenset(row.id for row in rows if network_of(row.client) in clients)
