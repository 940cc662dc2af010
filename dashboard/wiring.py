"""What every part of this process shares, put together once at the start."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboard.settings import DashboardSettings
from store.engine.database import Database


def utc_now() -> datetime:
    """The clock of the running process."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Parts:
    """Settings, database and clock of this process."""

    settings: DashboardSettings
    database: Database
    clock: Callable[[], datetime] = utc_now


class _Process:
    parts: Parts | None = None


def provide(parts: Parts) -> None:
    """Hand the parts to the pages: Streamlit runs them as scripts, which take no arguments."""
    _Process.parts = parts


def parts() -> Parts:
    """The parts of this process.

    Raises:
        RuntimeError: a page was started without the server.
    """
    if _Process.parts is None:
        raise RuntimeError("Start the pages with `maskwatch dashboard`.")
    return _Process.parts
