"""Traffic: every request, filtered, page by page."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import address, cached_reads
from dashboard.access.page_context import PageContext, current_page
from dashboard.paging import Place, place_in, step_both_ways
from dashboard.show import markup, words
from dashboard.show.request_table import request_table
from detectors.verdict import Verdict
from store.counts.periods import DEFAULT_WINDOW, WINDOWS
from store.pages.client_search import MAX_CLIENTS
from store.pages.traffic import TrafficFilter, TrafficPage, traffic_page

_PAGE_ROWS = 50
_FILTER_WIDTHS = [2.1, 1.6, 1.7, 1.3, 1.3, 1]
_PLACE = "traffic_place"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def show() -> None:
    """The page; its filters are part of the address."""
    context = current_page()
    markup.head("Traffic", "Every request with its verdict. A request's id opens its details.")
    filters, window = _filter(context)
    # The moment that a window begins is another one at each look.
    place = place_in(_PLACE, (window, replace(filters, since=_LONG_AGO)))
    with context.parts.database.read() as session:
        page = traffic_page(session, filters, _PAGE_ROWS, before=place.before, after=place.after)
    if page.more_clients:
        markup.put(markup.quiet(f"Only the {MAX_CLIENTS} matching clients seen last are listed."))
    if page.requests:
        request_table(page.requests, context.now)
    elif page.stop_key is None:
        markup.empty("No request matches", "Widen the time window or clear a filter.")
        return
    else:
        markup.empty("None of these requests matches", "Go on with those beside them.")
    _pager(page, place)


def _filter(context: PageContext) -> tuple[TrafficFilter, str]:
    """The filters that are chosen, and the length of time; the address has both."""
    reasons = cached_reads.reason_codes()
    _seed(reasons)
    with st.container(border=True):
        columns = st.columns(_FILTER_WIDTHS, vertical_alignment="bottom")
        verdicts = _choose_verdicts(columns[0])
        client = _type_client(columns[1])
        reason = _choose_code(columns[2], "Reason", "reason", reasons, words.label)
        route = _choose_code(columns[3], "Came through", "through", words.WAYS_IN, words.way_in)
        window = _choose_window(columns[4])
        outliers = columns[5].checkbox("Outliers only", key="outliers", persist_state="session")
    filters = TrafficFilter(
        since=WINDOWS[window].period(context.now).since,
        verdicts=verdicts,
        client=client,
        reason=reason,
        outliers_only=outliers,
        route=route,
    )
    _write(filters, window, reasons)
    return filters, window


def _choose_verdicts(column: DeltaGenerator) -> tuple[Verdict, ...]:
    verdicts = column.segmented_control(
        "Verdict",
        list(Verdict),
        selection_mode="multi",
        format_func=words.label,
        key="verdict",
        persist_state="session",
    )
    return tuple(Verdict(verdict) for verdict in verdicts)


def _type_client(column: DeltaGenerator) -> str:
    client = column.text_input(
        "Client", key="client", persist_state="session", placeholder="any, e.g. ip:203.0.113.7"
    )
    return client.strip()


def _choose_code(
    column: DeltaGenerator,
    title: str,
    key: str,
    codes: Collection[str],
    phrase: Callable[[str], str],
) -> str:
    """A code, or an empty text for any."""
    return column.selectbox(
        title,
        ["", *codes],
        format_func=lambda code: phrase(code) if code else "Any",
        key=key,
        persist_state="session",
    )


def _choose_window(column: DeltaGenerator) -> str:
    return column.selectbox(
        "Received in the last",
        list(WINDOWS),
        format_func=lambda key: WINDOWS[key].label,
        key="window",
        persist_state="session",
    )


def _seed(reasons: Collection[str]) -> None:
    address.seed_choices("verdict", tuple(Verdict))
    address.seed_text("client")
    address.seed_choice("reason", reasons, "")
    address.seed_choice("through", words.WAYS_IN, "")
    address.seed_choice("window", WINDOWS, DEFAULT_WINDOW)
    address.seed_tick("outliers")


def _write(filters: TrafficFilter, window: str, reasons: Collection[str]) -> None:
    """The filters into the address, and onto the page what it asked for in vain."""
    address.write_choices("verdict", filters.verdicts, tuple(Verdict))
    address.write_text("client", filters.client)
    address.write_choice("reason", filters.reason, reasons, "")
    address.write_choice("through", filters.route, words.WAYS_IN, "")
    address.write_choice("window", window, WINDOWS, DEFAULT_WINDOW)
    address.write_tick("outliers", ticked=filters.outliers_only)
    address.name_unknown(
        {"verdict": tuple(Verdict)},
        {
            "reason": reasons,
            "through": words.WAYS_IN,
            "window": WINDOWS,
            "outliers": address.YES_OR_NO,
        },
        ("client",),
    )


def _pager(page: TrafficPage, place: Place) -> None:
    left, right = st.columns([2, 1], vertical_alignment="center")
    with left:
        markup.put(markup.quiet(_extent(page)))
    with right:
        step_both_ways(_PLACE, place, _ends(page, place), newer=page.newer, older=page.older)


def _extent(page: TrafficPage) -> str:
    if not page.requests:
        return words.count(0, "request")
    # In the order in which they were recorded: a proxy records an answer once it was checked.
    times = [request.received_at for request in page.requests]
    return (
        f"{words.count(len(page.requests), 'request')}, from "
        f"{words.utc(min(times))} to {words.utc(max(times))}"
    )


def _ends(page: TrafficPage, place: Place) -> tuple[int | None, int | None]:
    """The keys that the next pages begin beside: the outermost that were looked at."""
    keys = [request.pk for request in page.requests]
    first, last = (keys[0], keys[-1]) if keys else (page.stop_key, page.stop_key)
    if page.stop_key is not None:
        return (page.stop_key, last) if place.after is not None else (first, page.stop_key)
    return first, last


if __name__ == "__main__":
    show()
