"""Pictures that were kept of requests, for jobs that look at them again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from detectors.findings import Place
from detectors.verdict import Verdict
from store.requests.picture_store import PICTURE
from store.requests.request_keys import arrived_since, key_of
from store.tables.request_tables import (
    EvidenceRow,
    FindingRow,
    RequestRow,
    features_table,
    reasons_table,
)

# Copies stand among them, and flagged ones among those that passed: it takes many to find some.
_MAX_ROWS = 10_000


@dataclass(frozen=True)
class KeptPicture:
    """A picture of a request as it was kept: small, faces made unrecognisable.

    Attributes:
        sha256: its file in the evidence store.
        size: height and width of the upload in pixels, which ``place`` refers to.
        place: where a finding shows most clearly; ``None`` for a request that passed.
    """

    request_id: str
    client: str
    sha256: str
    size: tuple[int, int]
    place: Place | None = None


def flagged_pictures(
    session: Session, rules: Sequence[str], since: datetime, most: int, max_per_client: int
) -> tuple[KeptPicture, ...]:
    """The newest pictures on which one of these rules fired and said where, newest first.

    A file that was kept several times counts once for each client.
    """
    is_finding = and_(FindingRow.request_pk == RequestRow.id, FindingRow.rule.in_(rules))
    reasons = reasons_table.c
    keys = select(reasons.request_pk).where(
        reasons.reason.in_(rules), reasons.request_pk >= key_of(since)
    )
    statement = (
        _pictures(FindingRow.places)
        .join(FindingRow, is_finding)
        .where(RequestRow.id.in_(keys), arrived_since(since), FindingRow.places.is_not(None))
        .order_by(RequestRow.id.desc(), FindingRow.id)
        .limit(_MAX_ROWS)
    )
    pairs: set[tuple[str, str]] = set()
    of_client: Counter[str] = Counter()
    pictures: list[KeptPicture] = []
    for row in session.execute(statement):
        is_new = row.places and (row.client, row.sha256) not in pairs
        if is_new and of_client[row.client] < max_per_client and len(pictures) < most:
            pairs.add((row.client, row.sha256))
            of_client[row.client] += 1
            pictures.append(_make_picture(row, Place(**row.places[0])))
    return tuple(pictures)


def ordinary_pictures(
    session: Session, since: datetime, most: int, max_per_client: int
) -> tuple[KeptPicture, ...]:
    """The newest sampled pictures of requests that passed, few of each client."""
    key = EvidenceRow.request_pk
    newest = select(key).where(EvidenceRow.kind == PICTURE, key >= key_of(since))
    newest = newest.order_by(key.desc()).limit(_MAX_ROWS)
    place_in_line = func.row_number().over(
        partition_by=RequestRow.client, order_by=RequestRow.id.desc()
    )
    line = (
        _pictures(RequestRow.id.label("pk"), place_in_line.label("place_in_line"))
        .where(
            RequestRow.id.in_(newest),
            RequestRow.verdict == Verdict.PASS.value,
            arrived_since(since),
        )
        .subquery()
    )
    statement = (
        select(line)
        .where(line.c.place_in_line <= max_per_client)
        .order_by(line.c.pk.desc())
        .limit(most)
    )
    return tuple(_make_picture(row) for row in session.execute(statement))


def _pictures(*more: Any) -> Select[Any]:
    """Requests of which a picture was kept, with its digest and the upload's size."""
    features = features_table.c
    return (
        select(
            RequestRow.request_id,
            RequestRow.client,
            EvidenceRow.sha256,
            features.height,
            features.width,
            *more,
        )
        .join(EvidenceRow, _is_picture())
        .join(features_table, features.request_pk == RequestRow.id)
        .where(features.height.is_not(None), features.width.is_not(None))
    )


def _is_picture() -> ColumnElement[bool]:
    return and_(EvidenceRow.request_pk == RequestRow.id, EvidenceRow.kind == PICTURE)


def _make_picture(row: Any, place: Place | None = None) -> KeptPicture:
    size = round(row.height), round(row.width)
    return KeptPicture(row.request_id, row.client, row.sha256, size, place)
