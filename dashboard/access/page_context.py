"""Who looks at the page, and what the page may use.

A page reads through its context and writes through :func:`begin_change`; the rest of the process is
out of its reach (import contract in ``pyproject.toml``).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime

import streamlit as st
from sqlalchemy.orm import Session

from dashboard.access.sessions import COOKIE, subject_of
from dashboard.settings import DashboardSettings
from dashboard.wiring import parts
from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.people.sign_in import hold_session

_SESSION_OVER = (
    "Your session is over. For a new link, run `maskwatch dashboard-link` on the server."
)


class SignedOut(MaskwatchError):
    """A change by somebody who is not signed in any more."""


@dataclass(frozen=True)
class ReadOnly:
    """The database as pages see it."""

    _database: Database

    def read(self) -> AbstractContextManager[Session]:
        """A session that cannot write; see :meth:`store.engine.database.Database.read`."""
        return self._database.read()


@dataclass(frozen=True)
class PageParts:
    """What a page may use of the process."""

    settings: DashboardSettings
    database: ReadOnly


@dataclass(frozen=True)
class PageContext:
    """One run of a page.

    Attributes:
        who: subject of the browser session, to be shown.
    """

    parts: PageParts
    who: str
    now: datetime


@dataclass(frozen=True)
class Change:
    """A transaction that writes.

    Attributes:
        who: who is signed in while it happens; written down with everything that it changes.
    """

    session: Session
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
        st.warning(_SESSION_OVER, icon=":material/lock_clock:")
        st.stop()
    return PageContext(
        PageParts(process.settings, ReadOnly(process.database)), who, process.clock()
    )


@contextmanager
def begin_change() -> Iterator[Change]:
    """A transaction in the name of whoever is signed in, and cannot sign out before its end.

    What a page knew when it was drawn does not count: a dialog may be open for hours.

    Raises:
        SignedOut: the session is over.
        StoreUnavailable: the database cannot be written to.
    """
    process = parts()
    now = process.clock()
    with process.database.write() as session:
        who = hold_session(session, session_secret() or "", now)
        if who is None:
            raise SignedOut(_SESSION_OVER)
        yield Change(session, who, now)


def session_secret() -> str | None:
    """The session secret of the browser whose page this is."""
    return st.context.cookies.get(COOKIE)
