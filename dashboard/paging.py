"""Which page of a list a browser looks at.

In a module of its own: Streamlit runs page scripts anew each time, and a class that is defined
there would be another one each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import streamlit as st

from store.pages.audit_views import AuditFilter
from store.pages.traffic import TrafficFilter


class Listed(Protocol):
    """What has a key by which a list is ordered."""

    @property
    def id(self) -> int:
        """The key."""
        ...


Row = TypeVar("Row", bound=Listed)


@dataclass(frozen=True)
class Place:
    """A page of one filter's requests, on one side of a primary key; the newest without a side."""

    filters: tuple[object, ...]
    before: int | None = None
    after: int | None = None


def place_in(state: object, filters: TrafficFilter, window: str) -> Place:
    """The remembered page; a changed filter starts again at the newest request."""
    fields = (window, filters.verdicts, filters.client, filters.reason, filters.outliers_only)
    if isinstance(state, Place) and state.filters == fields:
        return state
    return Place(fields)


@dataclass(frozen=True)
class AuditPlace:
    """A page of the audit entries of one filter, on one side of one row."""

    filters: AuditFilter
    before: int | None = None
    after: int | None = None


def audit_place_in(state: object, filters: AuditFilter) -> AuditPlace:
    """The remembered page; a changed filter starts again at the newest entry."""
    if isinstance(state, AuditPlace) and state.filters == filters:
        return state
    return AuditPlace(filters)


def older_than(place: str) -> int | None:
    """The key that a list's page begins after; ``None`` for its newest page."""
    key = st.session_state.get(place)
    return key if isinstance(key, int) else None


def step_older(place: str, rows: Sequence[Row], most: int) -> None:
    """Buttons to the newest and the next older page, where a list has more than one.

    Args:
        place: where the session remembers the page.
        rows: what was read: one more than a page shows, if there are older ones.
    """
    more, newest = len(rows) > most, older_than(place) is None
    if newest and not more:
        return
    with st.container(horizontal=True, horizontal_alignment="right"):
        _step("Newest", "first_page", place, None, disabled=newest)
        _step(
            "Older", "chevron_right", place, rows[most - 1].id if more else None, disabled=not more
        )


def _step(label: str, icon: str, place: str, key: int | None, *, disabled: bool) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"{place}-{label.lower()}",
        disabled=disabled,
        on_click=_go,
        args=(place, key),
    )


def _go(place: str, key: int | None) -> None:
    st.session_state[place] = key
