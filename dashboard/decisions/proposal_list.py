"""Blocks that the jobs propose: what led to each, and what a person answers."""

from collections.abc import Sequence

import streamlit as st

from dashboard.access.page_context import begin_change, current_page
from dashboard.decisions.finish import finish_change
from dashboard.show import markup, words
from dashboard.show.decision_table import reason
from dashboard.show.evidence_facts import evidence_facts
from detectors.errors import MaskwatchError
from store.audit.actors import analyst
from store.audit.reasons import MAX_REASON_LENGTH
from store.decisions.decisions import BY_ANALYST
from store.decisions.proposals import Proposal, accept_proposal, decline_proposal

_WIDTHS = [1.7, 3.0, 3.0, 1.7, 1.2]


def show_proposals(proposals: Sequence[Proposal]) -> None:
    """The section; nothing where no block waits."""
    if not proposals:
        return
    markup.section("Proposals", "blocks that the jobs may not make without a person")
    with st.container(border=True, key="proposals"):
        titles = ("About", "Reason", "Why it waits", "Expires", "")
        for column, title in zip(st.columns(_WIDTHS), titles, strict=True):
            with column:
                st.html(f'<span class="mw-quiet mw-small"><b>{title}</b></span>')
        for proposal in proposals:
            _line(proposal)


def _line(proposal: Proposal) -> None:
    columns = st.columns(_WIDTHS, vertical_alignment="center")
    cells = (
        markup.stack(proposal.value, words.label(proposal.scope)),
        reason(proposal),
        markup.quiet(proposal.limit_reached),
        markup.quiet(words.utc(proposal.expires_at)),
    )
    for column, cell in zip(columns, cells, strict=False):
        with column:
            markup.put(markup.span(cell, "mw-cell"))
    if columns[-1].button("Decide", key=f"proposal-{proposal.id}"):
        _decide(proposal)


@st.dialog("Decide on a proposed block", icon=":material/gavel:")
def _decide(proposal: Proposal) -> None:
    current_page()
    markup.put(markup.stack(proposal.value, f"for {proposal.minutes} minutes"))
    markup.put(markup.quiet(f"{proposal.reason} {proposal.limit_reached}"))
    evidence_facts(proposal.evidence)
    with st.form("proposal", border=False):
        why = st.text_area("Why?", key="proposal-reason", max_chars=MAX_REASON_LENGTH)
        with st.container(horizontal=True):
            accepts = st.form_submit_button("Block", type="primary", key="proposal-accept")
            declines = st.form_submit_button("Decline", key="proposal-decline")
        if accepts or declines:
            _save(proposal, why, accepts=accepts)


def _save(proposal: Proposal, why: str, *, accepts: bool) -> None:
    try:
        with begin_change() as change:
            if accepts:
                accept_proposal(
                    change.session, proposal.id, change.who, why, BY_ANALYST, change.now
                )
            else:
                actor = analyst(change.who)
                decline_proposal(change.session, proposal.id, change.who, why, actor, change.now)
    except MaskwatchError as error:
        st.error(str(error), icon=":material/error:")
        return
    finish_change(f"{proposal.value} is {'blocked' if accepts else 'not blocked'}.")
