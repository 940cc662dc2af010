"""Reads that several browsers share for a few seconds."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard.wiring import parts
from detectors.evidence.kinds import EvidenceKind, codes_of
from detectors.rule_book import RULES
from store.counts.periods import WINDOWS
from store.models.rerankers import RerankerStore
from store.pages.alert_views import AlertView, latest_alerts
from store.pages.overview import (
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
from store.pages.ranking_views import Ranking, read_ranking
from store.pages.request_detail import NormalRange, normal_ranges
from store.pages.scheduler_health import SchedulerHealth, scheduler_health
from store.pages.source_progress import SourceProgress, list_progress
from store.pages.vetted_views import OddVetted, propose_vetted
from store.pages.worst_clients import (
    TurnedAwayCount,
    WorstClient,
    read_turned_away,
    worst_clients,
)

_ALL_REASONS, _MOST_VETTED = 1000, 10


@dataclass(frozen=True)
class Overview:
    """Everything on the overview, read at one time."""

    since: datetime
    until: datetime
    headline: Headline
    over_time: tuple[VerdictCount, ...]
    reasons: tuple[ReasonCount, ...]
    turned_away: tuple[TurnedAwayCount, ...]
    clients: tuple[WorstClient, ...]
    busiest: tuple[ClientCount, ...]
    alerts: tuple[AlertView, ...]
    jobs: tuple[JobHealth, ...]
    scheduler: SchedulerHealth
    sources: tuple[SourceProgress, ...]


@st.cache_data(ttl=3, show_spinner=False)
def overview(window: str) -> Overview:
    """The overview of one of the windows."""
    process = parts()
    now = process.clock()
    span = WINDOWS[window]
    period = span.period(now)
    with process.database.read() as session:
        reasons = top_reasons(session, period, _ALL_REASONS)
        return Overview(
            since=period.since,
            until=now,
            headline=headline(session, period, now),
            over_time=verdicts_over_time(session, period, span.slice_seconds),
            reasons=reasons[:6],
            turned_away=read_turned_away(session, period, reasons),
            clients=worst_clients(session, period, now, 6),
            busiest=busiest_clients(session, period, 3),
            alerts=latest_alerts(session, 5),
            jobs=job_health(session),
            scheduler=scheduler_health(session),
            sources=list_progress(session),
        )


@st.cache_data(ttl=30, show_spinner=False)
def reason_codes() -> tuple[str, ...]:
    """Codes to filter by: all that there are, and what others refused requests in the last week."""
    process = parts()
    with process.database.read() as session:
        counts = top_reasons(session, WINDOWS["7d"].period(process.clock()), 100)
    known = {*(rule.code for rule in RULES), *codes_of(*EvidenceKind)}
    return tuple(sorted(known | {count.reason for count in counts}))


@st.cache_data(ttl=60, show_spinner=False)
def normal() -> dict[str, NormalRange]:
    """Where the features of recent passed requests lie."""
    with parts().database.read() as session:
        return normal_ranges(session)


@st.cache_data(ttl=30, show_spinner=False)
def odd_vetted() -> tuple[OddVetted, ...]:
    """The oddest requests that models learn from and nobody judged."""
    process = parts()
    with process.database.read() as session:
        return propose_vetted(session, process.clock(), _MOST_VETTED)


@st.cache_data(ttl=10, show_spinner=False)
def ranking() -> Ranking:
    """What orders outliers and families, and how far the labels are."""
    process = parts()
    settings = process.settings
    store = RerankerStore(settings.store.var_dir, settings.outliers.outlier_model_keys)
    with process.database.read() as session:
        return read_ranking(session, store)
