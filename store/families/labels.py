"""Labels as they are kept: what people said last, with what was recorded before they did."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.baseline.networks import network_of_client
from detectors.ranking.inputs import INPUTS
from detectors.ranking.labels import Label, Labels, weigh_labels
from store.families.feedback import Feedback
from store.families.recorded import read_inputs
from store.tables.family_tables import FamilyMemberRow, FeedbackRow
from store.tables.request_tables import RequestRow

MAX_LABELS = 5_000
"""Of so many of the newest requests that something was said of."""


def read_labels(session: Session, basis: str) -> Labels:
    """The labels of requests that an outlier model of a basis scored.

    What was taken back is gone, and what was changed is what was said last.
    """
    rows = session.execute(
        select(
            FeedbackRow.request_pk,
            FeedbackRow.feedback,
            FeedbackRow.said_by,
            RequestRow.client,
            FamilyMemberRow.family_id,
        )
        .join(RequestRow, RequestRow.id == FeedbackRow.request_pk)
        .outerjoin(FamilyMemberRow, FamilyMemberRow.request_pk == FeedbackRow.request_pk)
        .order_by(FeedbackRow.request_pk.desc())
        .limit(MAX_LABELS)
    ).all()
    inputs = read_inputs(session, [row.request_pk for row in rows], basis)
    labels = [
        Label(
            row=inputs[row.request_pk],
            is_attack=row.feedback == Feedback.CONFIRMED,
            ties=_tie(row.client, row.family_id),
            who=row.said_by,
        )
        for row in rows
        if row.request_pk in inputs
    ]
    return weigh_labels(labels, len(INPUTS))


def _tie(client: str, family: int | None) -> tuple[str, ...]:
    network = f"network {network_of_client(client)}"
    return (network,) if family is None else (network, f"family {family}")
