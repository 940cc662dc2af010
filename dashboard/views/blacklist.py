"""Blacklist: who is blocked or allowed, and changing that by hand."""

import streamlit as st

from dashboard import address
from dashboard.access.page_context import PageContext, begin_change, current_page
from dashboard.decisions.finish import MESSAGE, finish_change
from dashboard.decisions.proposal_list import show_proposals
from dashboard.decisions.scenario_list import REPORTED_DAYS, show_scenarios
from dashboard.paging import older_than, step_older
from dashboard.show import markup, words
from dashboard.show.decision_table import (
    about,
    decision_table,
    describe_creation,
    kind_badges,
    reason,
)
from dashboard.show.evidence_facts import evidence_facts
from detectors.errors import MaskwatchError
from store.audit.reasons import MAX_REASON_LENGTH
from store.decisions.by_hand import decision_by_hand, warn_of_block
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.pictures.listed_patches import PIXELS
from store.decisions.pictures.listed_perturbations import SIGNATURE
from store.decisions.proposals import list_open_proposals
from store.decisions.scenarios import read_switches, report_simulations
from store.decisions.scopes import Kind, Scope
from store.decisions.standing import describe_new, describe_rest
from store.decisions.traces import trace_decision
from store.pages.decision_views import DecisionView, list_active_decisions, list_ended_decisions
from store.tables.work_tables import DecisionRow

_SCOPES = {
    Scope.CLIENT: "Client",
    Scope.API_KEY: "API key",
    Scope.NETWORK: "Network",
    Scope.CONTENT: "Exact picture",
    Scope.SIMILAR: "Similar picture",
}
_WIDTHS = [1.7, 1.5, 2.4, 1.6, 1.6, 1.2]
_PLACE, _WARNED = "blacklist_place", "blacklist_warned"
_MAX_ENDED = 100
# What a patch or a perturbation is made of is shown, not printed.
_DRAWN = {PIXELS, SIGNATURE}


def show() -> None:
    """The page."""
    context = current_page()
    left, right = st.columns([4, 1], vertical_alignment="center")
    with left:
        markup.head(
            "Blacklist",
            "Clients, networks and pictures that are blocked or allowed, until when and why.",
        )
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("New decision", icon=":material/add:", type="primary", key="new-decision"):
            _new_decision()
    address.name_unknown({}, {})
    if message := st.session_state.pop(MESSAGE, None):
        st.success(message, icon=":material/check_circle:")
    with context.parts.database.read() as session:
        active = list_active_decisions(session, context.now)
        past_decisions = list_ended_decisions(
            session, context.now, _MAX_ENDED + 1, before=older_than(_PLACE)
        )
        proposals = list_open_proposals(session, context.now)
        switches = read_switches(session, simulates_all=True)
        reports = report_simulations(session, switches, context.now, REPORTED_DAYS)
    show_proposals(proposals)
    _active(context, active)
    show_scenarios([report for report in reports if report.blocks])
    markup.section("Ended", "expired or revoked, latest first")
    if past_decisions:
        decision_table(past_decisions[:_MAX_ENDED], context.now)
        step_older(_PLACE, past_decisions, _MAX_ENDED)
    else:
        markup.empty("No ended decisions", "Expired and revoked entries stay here for the record.")


def _active(context: PageContext, active: tuple[DecisionView, ...]) -> None:
    markup.section("Active", words.count(len(active), "decision"))
    if not active:
        markup.empty(
            "Nobody is blocked or allowed",
            "The scheduled scan blocks clients that keep attacking; you can also add one by hand.",
        )
        return
    with st.container(border=True, key="active-decisions"):
        titles = ("Decision", "About", "Reason", "Made", "Ends", "")
        for column, title in zip(st.columns(_WIDTHS), titles, strict=True):
            with column:
                st.html(f'<span class="mw-quiet mw-small"><b>{title}</b></span>')
        for decision in active:
            _line(context, decision)


def _line(context: PageContext, decision: DecisionView) -> None:
    columns = st.columns(_WIDTHS, vertical_alignment="center")
    ends = markup.stack(words.utc(decision.until), words.ago(decision.until, context.now))
    cells = (
        kind_badges(decision),
        about(decision),
        reason(decision),
        describe_creation(decision),
        ends,
    )
    for column, cell in zip(columns, cells, strict=False):
        with column:
            markup.put(markup.span(cell, "mw-cell"))
    if columns[-1].button("Revoke", key=f"revoke-{decision.id}"):
        _revoke(decision)


@st.dialog("Revoke a decision", icon=":material/undo:")
def _revoke(decision: DecisionView) -> None:
    context = current_page()
    markup.put(markup.badges(kind_badges(decision), about(decision)))
    markup.put(markup.quiet(decision.reason))
    evidence = {name: value for name, value in decision.evidence.items() if name not in _DRAWN}
    if evidence:
        evidence_facts(evidence)
    _show_refusals(context, decision)
    with st.form("revoke", border=False):
        why = st.text_area("Why is it revoked?", key="revoke-reason", max_chars=MAX_REASON_LENGTH)
        if st.form_submit_button("Revoke", type="primary", key="revoke-confirm"):
            _save_revocation(decision, why)


def _show_refusals(context: PageContext, decision: DecisionView) -> None:
    """What the decision has refused since; an allow and a simulated block refuse nobody."""
    if decision.simulated or decision.kind is not Kind.BLOCK:
        return
    with context.parts.database.read() as session:
        trace = trace_decision(session, session.get_one(DecisionRow, decision.id), context.now)
    more = "" if trace.is_complete else " or more"
    examples = markup.badges(*map(markup.request_link, trace.refused_ids[:5]))
    number = f"{words.count(trace.refusals, 'request')}{more}"
    markup.facts({"Refused since": markup.join((number, examples))})


def _save_revocation(decision: DecisionView, why: str) -> None:
    try:
        with begin_change() as change:
            row = revoke(change.session, decision.id, change.who, why, change.now)
            rest = describe_rest(change.session, row, change.now)
    except MaskwatchError as error:
        st.error(str(error), icon=":material/error:")
        return
    finish_change(f"The {decision.kind} of {decision.value} is revoked. {rest}".rstrip())


@st.dialog("New decision", icon=":material/gavel:", width="medium")
def _new_decision() -> None:
    # A dialog is drawn anew by itself, without the page that opened it.
    context = current_page()
    with st.form("new-decision-form", border=False):
        kind = st.segmented_control(
            "What", list(Kind), default=Kind.BLOCK, required=True, format_func=words.label
        )
        scope = st.segmented_control(
            "Whom",
            list(_SCOPES),
            default=Scope.CLIENT,
            required=True,
            format_func=lambda each: _SCOPES[each],
        )
        value = st.text_input(
            "Client, key, network, or the picture's hash",
            key="decision-value",
            placeholder="203.0.113.7, acme, 203.0.113.0/24, or a hash of the request page",
        )
        minutes = st.number_input(
            "For how many minutes", 1, 525_600, 60, key="decision-minutes", help="60 is an hour"
        )
        why = st.text_area("Why?", key="decision-reason", max_chars=MAX_REASON_LENGTH)
        simulated = st.checkbox("Only simulate: record and show it, but do not enforce it")
        if not st.form_submit_button("Save", type="primary", key="decision-save"):
            return
    try:
        with begin_change() as change:
            new = decision_by_hand(
                kind=Kind(kind or Kind.BLOCK),
                scope=Scope(scope or Scope.CLIENT),
                value=value,
                minutes=int(minutes),
                reason=why,
                who=change.who,
                simulated=simulated,
                now=change.now,
            )
            if _is_warned_of(context, new):
                return
            row = add_decision(change.session, new, change.now)
            more = describe_new(change.session, row, change.now)
    except MaskwatchError as error:
        st.error(str(error), icon=":material/error:")
        return
    said = f"The {new.kind} of {new.value} holds until {words.utc(new.until)}. {more}"
    finish_change(said.rstrip())


def _is_warned_of(context: PageContext, new: NewDecision) -> bool:
    """Whether a decision is held back for a warning; saved again, it is not."""
    warning = warn_of_block(new, context.parts.settings.proxies.trusted_proxies)
    if warning is None or st.session_state.get(_WARNED) == new.value:
        return False
    st.session_state[_WARNED] = new.value
    st.warning(warning, icon=":material/warning:")
    return True


if __name__ == "__main__":
    show()
