"""Every read of the dashboard, in one list: for its tests, its page in ``docs/`` and its bench."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.ranking.inputs import INPUTS
from detectors.ranking.reranker import Reranker
from detectors.verdict import Verdict
from store.counts.periods import WINDOWS, Window
from store.decisions.proposals import list_open_proposals
from store.decisions.scenarios import read_switches, report_simulations
from store.families.labels import read_labels
from store.families.recorded import find_basis
from store.pages.alert_views import alert_view, firing_alerts, latest_alerts, resolved_alerts
from store.pages.audit_views import AuditFilter, audit_page
from store.pages.decision_views import decisions_about, list_active_decisions, list_ended_decisions
from store.pages.family_views import list_families, read_family
from store.pages.overview import (
    busiest_clients,
    headline,
    job_health,
    top_reasons,
    verdicts_over_time,
)
from store.pages.ranking_views import Ranking, list_outliers, list_ranked_families
from store.pages.request_detail import normal_ranges, oldest_arrival, request_detail
from store.pages.traffic import TrafficFilter, requests_of_client, traffic_page
from store.pages.vetted_views import propose_vetted
from store.pages.worst_clients import read_turned_away, worst_clients
from store.people.sign_in import session_subject
from store.requests.request_keys import key_of
from store.tables.request_tables import EvidenceRow, RequestRow

_PAGE_ROWS = 50

Run = Callable[[Session, datetime], object]


@dataclass(frozen=True)
class DashboardQuery:
    """A read that a page makes.

    Attributes:
        name: page and read, with the window where there are several.
        run: makes the read as the page does, at a time.
        bounded_by: why it costs about the same however many records there are.
    """

    name: str
    run: Run
    bounded_by: str


def _of_overview(label: str, window: Window) -> Iterator[DashboardQuery]:
    def within(read: Callable[..., object], *more: object) -> Run:
        return lambda session, now: read(session, window.period(now), *more)

    bound = (
        "the records of an hour"
        if label == "1h"
        else "buckets of roll-ups, and the records since the last roll-up"
    )
    name = f"overview {label}: "
    yield DashboardQuery(
        f"{name}headline", lambda session, now: headline(session, window.period(now), now), bound
    )
    over_time = within(verdicts_over_time, window.slice_seconds)
    yield DashboardQuery(f"{name}verdicts over time", over_time, bound)
    yield DashboardQuery(f"{name}top reasons", within(top_reasons, 6), bound)
    yield DashboardQuery(
        f"{name}clients",
        lambda session, now: worst_clients(session, window.period(now), now, 6),
        "a number of the newest records of each reason, and the rows of a few clients",
    )
    yield DashboardQuery(f"{name}busiest clients", within(busiest_clients, 3), bound)
    yield DashboardQuery(f"{name}turned away", within(read_turned_away, ()), "buckets of roll-ups")


def _traffic(
    name: str, *, before: timedelta | None = None, newer: bool = False, **criteria: object
) -> DashboardQuery:
    """A page of the traffic of 30 days; the newest, or one from so long ago."""

    def run(session: Session, now: datetime) -> object:
        traffic_filter = TrafficFilter(WINDOWS["30d"].period(now).since, **criteria)  # type: ignore[arg-type]
        if before is None:
            return traffic_page(session, traffic_filter, _PAGE_ROWS)
        key = key_of(now - before)
        side = {"after": key} if newer else {"before": key}
        return traffic_page(session, traffic_filter, _PAGE_ROWS, **side)

    return DashboardQuery(f"traffic: {name}", run, "a page of rows, and a number looked at")


def _request(name: str, read: Callable[[Session, RequestRow, datetime], object]) -> DashboardQuery:
    """A read about one request: the newest that was flagged, if there is any."""

    def run(session: Session, now: datetime) -> object:
        newest = select(RequestRow).where(RequestRow.verdict == Verdict.FLAG.value)
        row = session.scalars(newest.order_by(RequestRow.id.desc()).limit(1)).first()
        return None if row is None else read(session, row, now)

    return DashboardQuery(f"request: {name}", run, "the rows of one request, or a page of rows")


def _learnt(session: Session) -> Ranking:
    """An order that something taught, of whatever the champion scored."""
    nothing, one = np.zeros(len(INPUTS)), np.ones(len(INPUTS))
    reranker = Reranker(find_basis(session) or "", nothing, one, one)
    return Ranking(reranker, "r1", "", None, None)


DASHBOARD_QUERIES: tuple[DashboardQuery, ...] = (
    *(query for label, window in WINDOWS.items() for query in _of_overview(label, window)),
    DashboardQuery("overview: latest alerts", lambda s, _: latest_alerts(s, 5), "a page of rows"),
    DashboardQuery("overview: jobs", lambda s, _: job_health(s), "one run of each job"),
    _traffic("newest"),
    _traffic("deep page", before=timedelta(days=15)),
    _traffic("deep page, newer", before=timedelta(days=15), newer=True),
    _traffic("passed", verdicts=(Verdict.PASS,)),
    _traffic("flagged", verdicts=(Verdict.FLAG,)),
    _traffic("refused, deep page", before=timedelta(days=15), verdicts=(Verdict.REFUSE,)),
    _traffic("flagged and refused", verdicts=(Verdict.FLAG, Verdict.REFUSE)),
    _traffic("clients by a part of their name", client="ip:1"),
    _traffic("a client that is not there", client="no client is called this"),
    _traffic("a reason", reason="no_person_found"),
    _traffic("a reason that nobody has", reason="nobody_has_this_reason"),
    _traffic("outliers", outliers_only=True),
    _traffic("outliers, deep page", before=timedelta(days=15), outliers_only=True),
    _traffic(
        "all filters", verdicts=(Verdict.FLAG,), client="ip:", reason="blank", outliers_only=True
    ),
    _traffic("passed, of clients", verdicts=(Verdict.PASS,), client="ip:"),
    _traffic("passed outliers", verdicts=(Verdict.PASS,), outliers_only=True),
    DashboardQuery(
        "traffic: reasons to choose from",
        lambda s, now: top_reasons(s, WINDOWS["7d"].period(now), 100),
        "buckets of roll-ups, and the records since the last roll-up",
    ),
    _request("detail", lambda s, row, _: request_detail(s, row.request_id)),
    DashboardQuery("request: oldest", lambda s, _: oldest_arrival(s), "one row"),
    _request(
        "evidence",
        lambda s, row, _: s.scalars(
            select(EvidenceRow).where(EvidenceRow.request_pk == row.id)
        ).all(),
    ),
    _request("decisions", lambda s, row, _: decisions_about(s, row.client, row.content_sha256)),
    _request("others", lambda s, row, now: requests_of_client(s, row.client, 11, now)),
    DashboardQuery("families: list", lambda s, now: list_families(s, now, 50), "a page of rows"),
    DashboardQuery(
        "families: in the order of labels",
        lambda s, now: list_ranked_families(s, _learnt(s), now, 50),
        "a page of rows, and twenty requests of each of the newest 100 families",
    ),
    DashboardQuery(
        "outliers: in the order of labels",
        lambda s, now: list_outliers(s, _learnt(s), now, 50),
        "a page of rows, and the newest 500 outliers",
    ),
    DashboardQuery(
        "outliers: what a person should vet",
        lambda s, now: propose_vetted(s, now, 10),
        "the newest 20,000 scored requests, and all blocks",
    ),
    DashboardQuery(
        "outliers, families: labels",
        lambda s, _: read_labels(s, find_basis(s) or ""),
        "the newest 5,000 requests that something was said of",
    ),
    DashboardQuery(
        "families: one",
        lambda s, now: read_family(s, 1, now, 50),
        "a page of rows, and the requests that joined within a day",
    ),
    DashboardQuery(
        "request: normal ranges", lambda s, _: normal_ranges(s), "1,000 records that passed"
    ),
    DashboardQuery("alerts: firing", lambda s, _: firing_alerts(s, 100), "a page of rows"),
    DashboardQuery("alerts: resolved", lambda s, _: resolved_alerts(s, 101), "a page of rows"),
    DashboardQuery("alerts: one", lambda s, _: alert_view(s, 1), "one row and its notifications"),
    DashboardQuery("blacklist: active", list_active_decisions, "a page of rows"),
    DashboardQuery("blacklist: ended", list_ended_decisions, "a page of rows"),
    DashboardQuery("blacklist: proposals", list_open_proposals, "a page of rows"),
    DashboardQuery(
        "blacklist: simulations",
        lambda s, now: report_simulations(s, read_switches(s, simulates_all=True), now, 7),
        "simulated decisions, of which there are few",
    ),
    DashboardQuery(
        "audit: newest", lambda s, _: audit_page(s, AuditFilter(), _PAGE_ROWS), "a page of rows"
    ),
    DashboardQuery(
        "audit: of an actor",
        lambda s, now: audit_page(
            s, AuditFilter(WINDOWS["30d"].period(now).since, "analyst:"), _PAGE_ROWS
        ),
        "a page of rows, and the time limit of reads",
    ),
    DashboardQuery(
        "every page: session", lambda s, now: session_subject(s, "nobody", now), "one row"
    ),
)
