"""Which page of a list a browser looks at.

In a module of its own: Streamlit runs page scripts anew each time, and a class that is defined
there would be another one each time.
"""

from dataclasses import dataclass

from store.audit_views import AuditFilter
from store.traffic import TrafficFilter


@dataclass(frozen=True)
class Place:
    """A page of one filter's requests, on one side of a primary key; the newest without a side."""

    wanted: tuple[object, ...]
    before: int | None = None
    after: int | None = None


def place_in(remembered: object, wanted: TrafficFilter, window: str) -> Place:
    """The remembered page; a changed filter starts again at the newest request."""
    fields = (window, wanted.verdicts, wanted.client, wanted.reason, wanted.outliers_only)
    if isinstance(remembered, Place) and remembered.wanted == fields:
        return remembered
    return Place(fields)


@dataclass(frozen=True)
class AuditPlace:
    """A page of the audit entries of one filter, on one side of one row."""

    wanted: AuditFilter
    before: int | None = None
    after: int | None = None


def audit_place_in(remembered: object, wanted: AuditFilter) -> AuditPlace:
    """The remembered page; a changed filter starts again at the newest entry."""
    if isinstance(remembered, AuditPlace) and remembered.wanted == wanted:
        return remembered
    return AuditPlace(wanted)
