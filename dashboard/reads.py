"""Reads that several browsers share for a few seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from dashboard.wiring import parts
from detectors.rule_book import RULES
from store.alert_views import AlertView, latest_alerts
from store.overview import (
    ClientCount,
    Headline,
    JobHealth,
    ReasonCount,
    VerdictCount,
    busiest_clients,
    headline,
    job_health,
    top_reasons,
    verdicts_over_time,
)
from store.request_detail import NormalRange, normal_ranges


@dataclass(frozen=True)
class Window:
    """A stretch of time that ends now, and how finely it is drawn."""

    label: str
    span: timedelta
    slice_seconds: int


WINDOWS: dict[str, Window] = {
    "1h": Window("1 hour", timedelta(hours=1), 60),
    "24h": Window("24 hours", timedelta(days=1), 1800),
    "7d": Window("7 days", timedelta(days=7), 4 * 3600),
}


@dataclass(frozen=True)
class Overview:
    """Everything on the overview, read at one time."""

    since: datetime
    until: datetime
    headline: Headline
    over_time: tuple[VerdictCount, ...]
    reasons: tuple[ReasonCount, ...]
    clients: tuple[ClientCount, ...]
    alerts: tuple[AlertView, ...]
    jobs: tuple[JobHealth, ...]


@st.cache_data(ttl=3, show_spinner=False)
def overview(window: str) -> Overview:
    """The overview of one of :data:`WINDOWS`."""
    process = parts()
    now = process.clock()
    since = now - WINDOWS[window].span
    with process.database.read() as session:
        return Overview(
            since=since,
            until=now,
            headline=headline(session, since, now),
            over_time=verdicts_over_time(session, since, WINDOWS[window].slice_seconds),
            reasons=top_reasons(session, since, 6),
            clients=busiest_clients(session, since, 6),
            alerts=latest_alerts(session, 5),
            jobs=job_health(session),
        )


@st.cache_data(ttl=30, show_spinner=False)
def reason_codes() -> tuple[str, ...]:
    """Codes to filter by: every rule, and what refused requests in the last week."""
    process = parts()
    with process.database.read() as session:
        seen = top_reasons(session, process.clock() - timedelta(days=7), 100)
    return tuple(sorted({rule.code for rule in RULES} | {count.reason for count in seen}))


@st.cache_data(ttl=60, show_spinner=False)
def normal() -> dict[str, NormalRange]:
    """Where the features of recent passed requests lie."""
    with parts().database.read() as session:
        return normal_ranges(session)
