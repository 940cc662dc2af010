"""Which exact pictures some requests sent."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables.request_tables import RequestRow


def pictures_of(session: Session, request_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Requests by the SHA-256 of what they sent; what was never read has none."""
    rows = session.execute(
        select(RequestRow.content_sha256, RequestRow.request_id)
        .where(RequestRow.request_id.in_(request_ids))
        .order_by(RequestRow.id.desc())
    )
    pictures: dict[str, tuple[str, ...]] = {}
    for digest, request_id in rows:
        if digest is None:
            continue
        pictures[digest] = (*pictures.get(digest, ()), request_id)
    return pictures
