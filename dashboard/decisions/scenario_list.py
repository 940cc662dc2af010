"""Simulated scenarios: what each would have done, and the switch that turns it on."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from dashboard.access.page_context import begin_change, current_page
from dashboard.decisions.finish import finish_change
from dashboard.show import markup, words
from detectors.errors import MaskwatchError
from store.audit.actors import analyst
from store.audit.reasons import MAX_REASON_LENGTH
from store.decisions.scenarios import (
    LISTED_FROM_NOW_ON,
    LISTING_SCENARIOS,
    SimulationReport,
    enable_scenario,
)

REPORTED_DAYS = 7
"""How far the page looks back."""
_WIDTHS = [2.2, 1.2, 4.2, 1.8, 1.3]
_MAX_NAMED = 6


def show_scenarios(reports: Sequence[SimulationReport]) -> None:
    """The section; nothing where nothing is simulated."""
    if not reports:
        return
    markup.section("Simulated scenarios", f"what they would have done in {REPORTED_DAYS} days")
    with st.container(border=True, key="scenarios"):
        titles = ("Scenario", "Blocks", "Of whom", "Simulated since", "")
        for column, title in zip(st.columns(_WIDTHS), titles, strict=True):
            with column:
                st.html(f'<span class="mw-quiet mw-small"><b>{title}</b></span>')
        for report in reports:
            _line(report)


def _line(report: SimulationReport) -> None:
    columns = st.columns(_WIDTHS, vertical_alignment="center")
    cells = (
        words.label(report.scenario),
        str(report.blocks),
        _values(report.values, _MAX_NAMED),
        markup.quiet(words.utc(report.first_at)),
    )
    for column, cell in zip(columns, cells, strict=False):
        with column:
            markup.put(markup.span(cell, "mw-cell"))
    if columns[-1].button("Turn on", key=f"scenario-{report.scenario}"):
        _turn_on(report)


def _say_next(report: SimulationReport) -> str:
    """What happens to those that simulated blocks hold for."""
    if report.scenario in LISTING_SCENARIOS:
        return LISTED_FROM_NOW_ON
    if not report.held:
        return "No simulated block holds now: nobody is hit at once."
    return (
        "Within a minute the jobs judge anew those that simulated blocks hold for now. Whoever "
        "still weighs enough is blocked, within the caps:"
    )


def _values(values: Sequence[str], most: int) -> Markup:
    """Whom and what it is about; hashes by their beginning."""
    names = [markup.code(_shorten(value)) for value in values[:most]]
    more = len(values) - len(names)
    return markup.badges(*names, *([markup.quiet(f"and {more} more")] if more > 0 else []))


def _shorten(value: str) -> str:
    return value if ":" in value or "." in value else words.short(value)


@st.dialog("Turn a scenario on", icon=":material/bolt:")
def _turn_on(report: SimulationReport) -> None:
    current_page()
    markup.put(markup.stack(words.label(report.scenario), "Its blocks are enforced from now on."))
    markup.put(
        markup.quiet(
            f"In {REPORTED_DAYS} days it would have made "
            f"{words.count(report.blocks, 'block')}. It will hit whoever does the same. "
            f"{_say_next(report)}"
        )
    )
    if report.scenario not in LISTING_SCENARIOS:
        markup.put(_values(report.held, len(report.held)))
    with st.form("scenario", border=False):
        why = st.text_area(
            "Why is it turned on?", key="scenario-reason", max_chars=MAX_REASON_LENGTH
        )
        if st.form_submit_button("Turn on", type="primary", key="scenario-confirm"):
            _save(report, why)


def _save(report: SimulationReport, why: str) -> None:
    try:
        with begin_change() as change:
            actor = analyst(change.who)
            enable_scenario(change.session, report.scenario, change.who, why, actor, change.now)
    except MaskwatchError as error:
        st.error(str(error), icon=":material/error:")
        return
    finish_change(f"The scenario {words.label(report.scenario)} is on.")
