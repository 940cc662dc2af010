"""What ``maskwatch families`` prints: the same as the families page."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from detectors.families.sentence import phrase_value
from jobs.settings import JobSettings
from maskwatch.commands.decisions.decision_list import to_text as describe_decision
from maskwatch.commands.detectors.reranker_views import open_rerankers
from maskwatch.commands.printable import escape_unprintable
from store.engine.existing import existing_database
from store.families.families import NoFamily
from store.pages.family_views import FamilyDetail, FamilyView, read_family
from store.pages.ranking_views import list_ranked_families, read_ranking
from store.settings import StoreSettings

_MAX_LISTED, _MAX_REQUESTS, _MAX_NAMED = 100, 100, 5


@dataclass(frozen=True)
class OrderedFamilies:
    """The families in their order.

    Attributes:
        order: what it was learnt from, or why a re-ranker is not used; empty without one.
    """

    families: tuple[FamilyView, ...]
    order: str


def read_families(settings: JobSettings, now: datetime) -> OrderedFamilies:
    """The families: in the order that labels taught, else those that grew last first.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        ranking = read_ranking(session, open_rerankers(settings))
        families = list_ranked_families(session, ranking, now, _MAX_LISTED)
    if ranking.name is None:
        return OrderedFamilies(families, "")
    order = ranking.note or f"In the order that labels taught ({ranking.name})."
    return OrderedFamilies(families, escape_unprintable(order))


def read_one(settings: StoreSettings, family: int, now: datetime) -> FamilyDetail:
    """A family, or the one that it became a part of.

    Raises:
        MaskwatchError: there is none of that number, or the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        detail = read_family(session, family, now, _MAX_REQUESTS)
    if detail is None:
        raise NoFamily(family)
    return detail


def to_text(view: FamilyView) -> str:
    """One line for people."""
    state = ", ".join([view.life, *([view.judged] if view.judged else [])])
    text = f"{view.id:>6}  {state:<18} {_day(view.first_at)} to {_day(view.last_at)}: {view.line}"
    return escape_unprintable(f"{text} {view.rank}" if view.rank else text)


def to_json(view: FamilyView) -> str:
    """One JSON object."""
    return json.dumps(_describe(view))


def detail_to_text(detail: FamilyDetail) -> Iterator[str]:
    """Lines for people."""
    view = detail.view
    yield escape_unprintable(f"Family {view.id}, {view.life}: {view.line}")
    yield f"Formed: {_day(view.formed_at)}; first {_day(view.first_at)}, last {_day(view.last_at)}"
    yield f"Requests: {view.requests}, {view.day_requests} of them in 24 hours"
    if view.feedback is not None:
        yield escape_unprintable(f"Feedback: {view.feedback}")
    if detail.merged:
        yield f"Merged into it: {', '.join(map(str, detail.merged))}"
    for thing in view.shared:
        text = f"Shares {thing.tie}: {phrase_value(thing)} ({thing.requests} requests)"
        yield escape_unprintable(text)
    example = None if view.example is None else view.example.request_id
    yield f"Example: {example or 'none is left'}"
    yield f"Newest: {_name_newest([each.request_id for each in detail.requests])}"
    for decision in detail.decisions:
        yield f"Decision {describe_decision(decision).strip()}"


def _name_newest(request_ids: Sequence[str]) -> str:
    if not request_ids:
        return "none is left"
    named, more = ", ".join(request_ids[:_MAX_NAMED]), len(request_ids) - _MAX_NAMED
    return f"{named} and {more} more, which --json lists" if more > 0 else named


def detail_to_json(detail: FamilyDetail) -> str:
    """One JSON object."""
    return json.dumps(
        {
            **_describe(detail.view),
            "merged": detail.merged,
            "request_ids": [each.request_id for each in detail.requests],
            "decisions": [each.id for each in detail.decisions],
        }
    )


def _describe(view: FamilyView) -> dict[str, object]:
    return {
        "id": view.id,
        "line": view.line,
        "life": view.life,
        "formed_at": view.formed_at.isoformat(),
        "first_at": view.first_at.isoformat(),
        "last_at": view.last_at.isoformat(),
        "requests": view.requests,
        "requests_in_24_hours": view.day_requests,
        "clients": view.clients,
        "feedback": view.feedback,
        "rank": view.rank,
        "kinds": dict(view.kinds),
        "shared": [
            {"tie": thing.tie, "value": thing.value, "requests": thing.requests}
            for thing in view.shared
        ],
        "example": None if view.example is None else view.example.request_id,
    }


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
