"""Which page of a list a browser looks at.

In a module of its own: Streamlit runs page scripts anew each time, and a class that is defined
there would be another one each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import streamlit as st


class Listed(Protocol):
    """What has a key by which a list is ordered."""

    @property
    def id(self) -> int:
        """The key."""
        ...


Row = TypeVar("Row", bound=Listed)


@dataclass(frozen=True)
class Place:
    """A page of what a filter lists, on one side of a key; the newest one without a side."""

    filters: object
    before: int | None = None
    after: int | None = None


def place_in(name: str, filters: object) -> Place:
    """The page that the session remembers by a name; another filter starts again at the newest."""
    state = st.session_state.get(name)
    return state if isinstance(state, Place) and state.filters == filters else Place(filters)


def step_both_ways(
    name: str, place: Place, ends: tuple[int | None, int | None], *, newer: bool, older: bool
) -> None:
    """Buttons to the newest, the next newer and the next older page.

    Args:
        name: where the session remembers the page.
        ends: keys that the next newer and the next older page begin beside.
    """
    after, before = ends
    newest = Place(place.filters)
    with st.container(horizontal=True, horizontal_alignment="right"):
        _step("Newest", "first_page", name, newest, disabled=not newer)
        _step("Newer", "chevron_left", name, replace(newest, after=after), disabled=not newer)
        _step("Older", "chevron_right", name, replace(newest, before=before), disabled=not older)


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


def _step(label: str, icon: str, name: str, state: object, *, disabled: bool) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"{name}-{label.lower()}",
        disabled=disabled,
        on_click=_go,
        args=(name, state),
    )


def _go(name: str, state: object) -> None:
    st.session_state[name] = state
