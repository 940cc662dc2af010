"""Requests of which a picture was kept, with what was measured then, in the order of arrival."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import nan

from sqlalchemy import select

from detectors.registry import FEATURE_NAMES, FeatureVector
from store.engine.database import Database
from store.requests.picture_store import PICTURE
from store.requests.request_keys import arrived_since, key_of
from store.tables.request_tables import EvidenceRow, RequestRow, features_table

_PAGE = 500


@dataclass(frozen=True)
class KeptRequest:
    """One of them.

    Attributes:
        key: primary key.
        source: digest of what parsed it.
        sha256: the picture's file in the evidence store.
        features: what was measured, by name.
    """

    key: int
    request_id: str
    received_at: datetime
    source: str | None
    verdict: str
    reasons: tuple[str, ...]
    sha256: str
    features: Mapping[str, float]


def kept_requests(database: Database, since: datetime, until: datetime) -> Iterator[KeptRequest]:
    """All that arrived from ``since`` on and before ``until``, the oldest first, page by page."""
    after_key = key_of(since) - 1
    while page := _read_page(database, since, until, after_key):
        yield from page
        after_key = page[-1].key


def _read_page(
    database: Database, since: datetime, until: datetime, after_key: int
) -> list[KeptRequest]:
    statement = (
        select(RequestRow, EvidenceRow.sha256, *(features_table.c[name] for name in FEATURE_NAMES))
        .join(EvidenceRow, EvidenceRow.request_pk == RequestRow.id)
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .where(
            EvidenceRow.kind == PICTURE,
            RequestRow.id > after_key,
            arrived_since(since),
            RequestRow.received_at < until,
        )
        .order_by(RequestRow.id)
        .limit(_PAGE)
    )
    with database.read() as session:
        return [_make(*row) for row in session.execute(statement)]


def _make(request: RequestRow, sha256: str, *values: float | None) -> KeptRequest:
    features = FeatureVector(tuple(nan if value is None else value for value in values))
    return KeptRequest(
        request.id,
        request.request_id,
        request.received_at,
        request.segmenter,
        request.verdict,
        tuple(request.reasons),
        sha256,
        features.collect_values(),
    )
