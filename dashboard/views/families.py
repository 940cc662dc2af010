"""Families: unusual requests that belong together, as one line each."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st
from markupsafe import Markup

from dashboard import address, cached_reads
from dashboard.access.page_context import PageContext, current_page
from dashboard.decisions.feedback_form import show_feedback_of_family
from dashboard.paging import older_than, step_older
from dashboard.show import markup, words
from dashboard.show.decision_table import decision_table
from dashboard.show.markup import Column, Tone
from dashboard.show.ranking_facts import show_ranking
from dashboard.show.request_table import request_table
from detectors.families.sentence import Life, phrase_value
from store.pages.family_views import FamilyDetail, FamilyView, read_family
from store.pages.ranking_views import Ranking, list_ranked_families

_MAX_LISTED, _MAX_REQUESTS = 50, 50
_PLACE, _BY_TIME = "families_place", "by_time"


def show() -> None:
    """The page; ``?id=3`` shows that family alone."""
    context = current_page()
    address.name_unknown({}, {_BY_TIME: address.YES_OR_NO}, ("id",))
    number = address.read_number("id")
    if number:
        _show_family(context, number)
        return
    markup.head("Families", "Outliers and findings that belong together: one line for all of them.")
    ranking = _choose_order(cached_reads.ranking())
    with context.parts.database.read() as session:
        rows = list_ranked_families(
            session, ranking, context.now, _MAX_LISTED + 1, older_than(_PLACE)
        )
    if not rows:
        markup.empty("No families", "Unusual requests that share something are grouped here.")
        return
    _table(context, rows[:_MAX_LISTED])
    step_older(_PLACE, rows, _MAX_LISTED)


def _choose_order(ranking: Ranking) -> Ranking:
    """The order that labels taught, unless there is none or somebody wants that of time."""
    by_time = "Those that grew last first"
    if ranking.reranker is None:
        show_ranking(ranking, by_time)
        return ranking
    address.seed_tick(_BY_TIME)
    is_by_time = st.checkbox(by_time, key=_BY_TIME, persist_state="session")
    address.write_tick(_BY_TIME, ticked=is_by_time)
    show_ranking(ranking, by_time if is_by_time else ranking.order)
    return replace(ranking, reranker=None) if is_by_time else ranking


def _table(context: PageContext, families: Sequence[FamilyView]) -> None:
    markup.table(
        [
            Column("Family", "nowrap"),
            Column("What it is"),
            Column("State"),
            Column("Requests", "right nowrap"),
            Column("Clients", "right"),
            Column("First", "nowrap"),
            Column("Last", "nowrap"),
            Column("Example"),
        ],
        [_line(context, family) for family in families],
    )


def _line(context: PageContext, family: FamilyView) -> tuple[str, ...]:
    return (
        markup.family_link(family.id),
        markup.stack(family.line, family.rank) if family.rank else family.line,
        markup.badges(*_state(family)),
        markup.stack(words.number(family.requests), f"{words.number(family.day_requests)} in 24 h"),
        words.number(family.clients),
        words.ago(family.first_at, context.now),
        words.ago(family.last_at, context.now),
        _example(family),
    )


def _state(family: FamilyView) -> list[Markup]:
    judged = [] if family.judged is None else [markup.feedback_badge(family.judged)]
    return [_life(family), *judged]


def _life(family: FamilyView) -> Markup:
    growing = family.life is Life.GROWING
    return markup.badge("↗ Growing" if growing else "Quiet", Tone.WARN if growing else Tone.NONE)


def _example(family: FamilyView) -> Markup:
    if family.example is None:
        return markup.quiet("removed")
    return markup.request_link(family.example.request_id)


def _show_family(context: PageContext, number: str) -> None:
    detail = None
    if number.isascii() and number.isdigit() and len(number) < 19:
        with context.parts.database.read() as session:
            detail = read_family(session, int(number), context.now, _MAX_REQUESTS)
    if detail is None:
        markup.head("Family", "One family of unusual requests.")
        markup.empty("There is no such family", f"No family has the number {number}.")
        return
    _head(detail, number)
    show_feedback_of_family(detail.view.id)
    with st.container(border=True):
        markup.facts(_facts(context, detail))
    _show_shared(detail)
    _decisions(context, detail)
    markup.section("Requests", f"the newest {len(detail.requests)}")
    if detail.requests:
        request_table(detail.requests, context.now)
    else:
        markup.empty("None is left", "They were removed with the records of their time.")


def _head(detail: FamilyDetail, number: str) -> None:
    family = detail.view
    markup.head(f"Family {family.id}", family.line)
    parts = _state(family)
    if number != str(family.id):
        parts.append(markup.quiet(f"Family {number} became a part of it."))
    markup.put(markup.badges(*parts))


def _facts(context: PageContext, detail: FamilyDetail) -> dict[str, str]:
    family = detail.view
    merged = [str(each) for each in detail.merged]
    return {
        "Requests": words.number(family.requests),
        "In 24 hours": words.number(family.day_requests),
        "Clients": words.number(family.clients),
        "First": markup.stack(words.utc(family.first_at), words.ago(family.first_at, context.now)),
        "Last": markup.stack(words.utc(family.last_at), words.ago(family.last_at, context.now)),
        "Formed": words.utc(family.formed_at),
        "Example": _example(family),
        "Merged into it": ", ".join(merged) or "none",
        "Feedback": family.feedback or "none",
    }


def _show_shared(detail: FamilyDetail) -> None:
    markup.section("What they share", "the most common first")
    markup.table(
        [Column("Tie"), Column("Which"), Column("Requests", "right")],
        [
            (words.label(thing.tie), phrase_value(thing), words.number(thing.requests))
            for thing in detail.view.shared
        ],
    )


def _decisions(context: PageContext, detail: FamilyDetail) -> None:
    markup.section("Decisions", "that name this family")
    if detail.decisions:
        decision_table(detail.decisions, context.now)
    else:
        blacklist = markup.link("blacklist", "Blacklist")
        advice = Markup("Block what its requests share in {}.").format(blacklist)
        markup.empty("No decisions", advice)


if __name__ == "__main__":
    show()
