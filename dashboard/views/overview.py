"""Overview: what happened, who did it, what is on fire, whether the jobs run."""

from collections.abc import Mapping

import streamlit as st
from markupsafe import Markup

from dashboard import address, cached_reads
from dashboard.access.page_context import current_page
from dashboard.cached_reads import Overview
from dashboard.show import markup, words
from dashboard.show.charts import traffic_chart
from dashboard.show.job_table import job_table
from dashboard.show.markup import Column, Tile, Tone
from dashboard.theme import VERDICT_COLOURS
from detectors.baseline.phases import Phase
from detectors.evidence.kinds import EvidenceKind, describe
from store.counts.periods import DEFAULT_WINDOW, WINDOWS
from store.engine.database import StoreUnavailable
from store.pages.source_progress import SourceProgress
from store.pages.worst_clients import WorstClient

_WINDOW = "overview_window"
_WHY_TURNED_AWAY: Mapping[EvidenceKind, str] = {
    EvidenceKind.FLOOD: "The client asked faster than it may (429).",
    EvidenceKind.SERVICE: "The service had no room for it at the time (503).",
    EvidenceKind.NO_ENTRY: "The client is blocked, or has no valid key.",
    EvidenceKind.MISTAKE: "The upload took too long (408).",
}


def show() -> None:
    """The page: a window to choose, and what is read again every few seconds."""
    address.seed_choice("window", WINDOWS, DEFAULT_WINDOW, _WINDOW)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        markup.head("Overview", "Traffic, verdicts and health of the guarded service.")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        window = st.segmented_control(
            "Time window",
            list(WINDOWS),
            required=True,
            format_func=lambda key: WINDOWS[key].label,
            key=_WINDOW,
            persist_state="session",
            label_visibility="collapsed",
        )
    window = window or DEFAULT_WINDOW
    address.write_choice("window", window, WINDOWS, DEFAULT_WINDOW)
    address.name_unknown({}, {"window": WINDOWS})
    _live(window)


@st.fragment(run_every="5s")
def _live(window: str) -> None:
    try:
        current_page()
        _figures(window, cached_reads.overview(window))
    except StoreUnavailable as error:
        st.error(str(error), icon=":material/error:")


def _figures(window: str, figures: Overview) -> None:
    _tiles(window, figures)
    with st.container(border=True):
        _traffic(window, figures)
    left, right = st.columns(2, gap="medium")
    with left:
        _clients(figures)
        _busiest(figures)
        _reasons(figures)
        _turned_away(figures)
    with right:
        _alerts(figures)
        _sources(figures)
        _jobs(figures)


def _tiles(window: str, figures: Overview) -> None:
    top = figures.headline
    limit = current_page().parts.settings.alerts.invalid_share_threshold
    over = top.invalid.share > limit
    block_note = f"and {top.simulated_blocks} simulated" if top.simulated_blocks else "enforced now"
    rate = current_page().parts.settings.outliers.false_discovery_rate
    alert_note = (
        f"{top.unacknowledged_alerts} not acknowledged" if top.firing_alerts else "all quiet"
    )
    markup.tiles(
        Tile(
            f"Requests in {WINDOWS[window].label}",
            words.number(top.requests),
            f"from {words.count(top.clients, 'client')}",
        ),
        Tile(
            "Invalid share",
            words.percent(top.invalid.share),
            f"{words.number(top.invalid.invalid)} of {words.number(top.invalid.total)}"
            f" · limit {words.percent(limit)}",
            Tone.BAD if over else Tone.GOOD,
        ),
        Tile(
            "Outliers",
            words.number(top.outliers),
            f"selected by scans · stated rate {words.percent(rate)}",
            Tone.WARN if top.outliers else Tone.NONE,
        ),
        Tile(
            "Active blocks",
            words.number(top.blocks),
            block_note,
            Tone.WARN if top.blocks else Tone.NONE,
        ),
        Tile(
            "Firing alerts",
            words.number(top.firing_alerts),
            alert_note,
            Tone.BAD if top.firing_alerts else Tone.GOOD,
        ),
    )


def _traffic(window: str, figures: Overview) -> None:
    slices = words.duration_of(WINDOWS[window].slice_seconds)
    markup.section("Requests over time", f"by verdict, per {slices}, UTC", markup.verdict_legend())
    if not figures.over_time:
        markup.empty(
            "No requests in this window",
            "Send a picture with `maskwatch parse` or widen the window.",
        )
        return
    slice_seconds = WINDOWS[window].slice_seconds
    st.altair_chart(
        traffic_chart(figures.over_time, figures.since, figures.until, slice_seconds),
        alt="Requests over time, stacked by verdict",
    )


def _reasons(figures: Overview) -> None:
    markup.section("Top reasons", "of flagged and refused requests")
    if not figures.reasons:
        markup.empty("Nothing was flagged or refused", "Every request of this window passed.")
        return
    most = max(each.count for each in figures.reasons)
    markup.table(
        [Column("Reason"), Column("Verdict"), Column(""), Column("Requests", "right")],
        [
            (
                markup.link("traffic", words.label(each.reason), reason=each.reason),
                markup.verdict_badge(each.verdict),
                markup.bar(each.count / most, VERDICT_COLOURS[each.verdict]),
                words.number(each.count),
            )
            for each in figures.reasons
        ],
    )


def _turned_away(figures: Overview) -> None:
    markup.section("Turned away", "before a picture was looked at; repeats are only counted")
    if not figures.turned_away:
        markup.empty("Nobody was turned away", "There was room for every request of this window.")
        return
    markup.table(
        [Column("Why"), Column("Requests", "right"), Column("Recorded", "right"), Column("As")],
        [
            (
                _WHY_TURNED_AWAY[each.kind],
                words.number(each.requests),
                words.number(each.recorded),
                markup.join(
                    markup.link("traffic", words.label(code), reason=code) for code in each.codes
                ),
            )
            for each in figures.turned_away
        ],
    )


def _clients(figures: Overview) -> None:
    markup.section("Worst clients", "by evidence of an attack")
    if not figures.clients:
        markup.empty(
            "No client shows evidence of an attack",
            "Whoever sends more of it than chance explains appears here.",
        )
        return
    markup.table(
        [
            Column("Client"),
            Column("Evidence"),
            Column("Weight", "right"),
            Column("Uploads", "right"),
            Column("Decision"),
        ],
        [
            (
                markup.client_link(each.client),
                describe(each.counts),
                words.number(each.weight),
                words.number(each.uploads),
                _standing(each),
            )
            for each in figures.clients
        ],
    )


def _busiest(figures: Overview) -> None:
    markup.section("Busiest clients", "by requests, whatever became of them")
    if not figures.busiest:
        markup.empty("No clients yet", "They appear with the first request.")
        return
    markup.table(
        [Column("Client"), Column("Requests", "right"), Column("Flagged or refused", "right")],
        [
            (
                markup.client_link(each.client),
                words.number(each.requests),
                words.percent(each.bad_share),
            )
            for each in figures.busiest
        ],
    )


def _standing(client: WorstClient) -> Markup:
    if client.is_blocked is None:
        return markup.badge("Simulated", Tone.NONE)
    return markup.badge("⊘ Blocked", Tone.BAD) if client.is_blocked else markup.quiet("none")


def _alerts(figures: Overview) -> None:
    markup.section("Latest alerts")
    if not figures.alerts:
        markup.empty("No alerts", "You will see one here when a threshold is passed.")
        return
    markup.table(
        [Column("State"), Column("Alert"), Column("Since", "nowrap right")],
        [
            (
                markup.alert_badge(alert),
                markup.link("alerts", alert.summary, alert=str(alert.id)),
                words.ago(alert.fired_at, figures.until),
            )
            for alert in figures.alerts
        ],
    )


def _sources(figures: Overview) -> None:
    markup.section("What parses", "how far each source is learnt, and what no longer flags there")
    if not figures.sources:
        markup.empty(
            "No source is learnt",
            "One appears with its first picture, unless MASKWATCH_LEARN_TRAFFIC is off.",
        )
        return
    markup.table(
        [Column("Source"), Column("Learnt"), Column("Why")],
        [
            (
                markup.source(source.name, source.source),
                markup.badge(source.summary, _tone(source)),
                markup.prose(" ".join((source.why, *source.demoted))),
            )
            for source in figures.sources
        ],
    )


def _tone(source: SourceProgress) -> Tone:
    if source.is_strange or source.demoted:
        return Tone.WARN
    return Tone.GOOD if source.phase is Phase.IN_FORCE else Tone.NONE


def _jobs(figures: Overview) -> None:
    markup.section("Scheduled jobs", "latest run of each")
    if figures.scheduler.is_ready:
        markup.put(markup.quiet(figures.scheduler.sentence))
    else:
        st.warning(figures.scheduler.sentence, icon=":material/timer_off:")
    job_table(figures.jobs, figures.until)


if __name__ == "__main__":
    show()
