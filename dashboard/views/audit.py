"""Audit: who changed what, newest first."""

import streamlit as st

from dashboard import address
from dashboard.access.page_context import current_page
from dashboard.paging import Place, place_in, step_both_ways
from dashboard.show import markup, words
from dashboard.show.audit_table import audit_table
from store.audit.audit_log import Action
from store.pages.audit_views import AuditFilter, AuditPage, audit_page

_PAGE_ROWS = 50
_PLACE = "audit_place"


def show() -> None:
    """The page; its filters are part of the address."""
    context = current_page()
    markup.head("Audit", "Every change by people and jobs, chained so that later edits show.")
    filters = _filter()
    place = place_in(_PLACE, filters)
    with context.parts.database.read() as session:
        page = audit_page(session, filters, _PAGE_ROWS, before=place.before, after=place.after)
    if not page.entries:
        markup.empty("Nothing to show", "No change matches; clear a filter to see the others.")
        return
    _warn(page)
    audit_table(page.entries, context.now)
    _pager(page, place)


def _filter() -> AuditFilter:
    actions = sorted(Action)
    address.seed_text("actor")
    address.seed_choice("action", actions, "")
    with st.container(border=True):
        left, right = st.columns(2, vertical_alignment="bottom")
        actor = left.text_input(
            "Who",
            key="actor",
            persist_state="session",
            placeholder="anybody, or how the name begins: analyst: or job:decide",
        )
        action = right.selectbox(
            "What",
            ["", *actions],
            format_func=lambda each: words.label(each) if each else "Anything",
            key="action",
            persist_state="session",
        )
    address.write_text("actor", actor.strip())
    address.write_choice("action", action, actions, "")
    address.name_unknown({}, {"action": actions}, ("actor",))
    return AuditFilter(actor=actor.strip(), action=action)


def _warn(page: AuditPage) -> None:
    rows = [str(entry.sequence) for entry in page.entries if not entry.fits]
    if rows:
        st.error(
            f"Somebody changed what is written here, row {', '.join(rows)}. Run "
            "`maskwatch audit verify` on the server to see all of it.",
            icon=":material/gpp_bad:",
        )


def _pager(page: AuditPage, place: Place) -> None:
    first, last = page.entries[0].sequence, page.entries[-1].sequence
    left, right = st.columns([2, 1], vertical_alignment="center")
    with left:
        markup.put(
            markup.quiet(
                f"{words.count(len(page.entries), 'row')}, from {last} to {first}. "
                "To check the whole chain, run maskwatch audit verify on the server."
            )
        )
    with right:
        step_both_ways(_PLACE, place, (first, last), newer=page.newer, older=page.older)


if __name__ == "__main__":
    show()
