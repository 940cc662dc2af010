"""Who looks at the page, and what the page may use."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard.access.sessions import COOKIE, subject_of
from dashboard.wiring import Parts, parts


@dataclass(frozen=True)
class PageContext:
    """One run of a page.

    Attributes:
        who: subject of the browser session; written down with everything this person does.
    """

    parts: Parts
    who: str
    now: datetime


def current_page() -> PageContext:
    """The context of this run; ends the run if the session is over.

    The sign-in was checked when the websocket opened, which may be hours ago: so check again.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    process = parts()
    who = subject_of(process, session_secret())
    if who is None:
        st.warning(
            "Your session is over. For a new link, run `maskwatch dashboard-link` on the server.",
            icon=":material/lock_clock:",
        )
        st.stop()
    return PageContext(process, who, process.clock())


def session_secret() -> str | None:
    """The session secret of the browser whose page this is."""
    return st.context.cookies.get(COOKIE)
