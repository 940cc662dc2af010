"""Outliers: unusual requests of the last days, in the order in which to look at them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from markupsafe import Markup

from dashboard import address, cached_reads
from dashboard.access.page_context import PageContext, current_page
from dashboard.paging import older_than, step_older
from dashboard.show import markup, words
from dashboard.show.markup import Column, GroupRow
from dashboard.show.ranking_facts import show_ranking
from store.pages.ranking_views import NOT_JUDGED, RankedOutlier, list_outliers
from store.pages.vetted_views import OddVetted

_PAGE_ROWS = 50
_PLACE = "outliers_place"


def show() -> None:
    """The page."""
    context = current_page()
    address.name_unknown({}, {}, ())
    markup.head(
        "Outliers", "Unusual requests of the last seven days, those to look at first on top."
    )
    ranking = cached_reads.ranking()
    show_ranking(ranking, ranking.order)
    before = older_than(_PLACE)
    with context.parts.database.read() as session:
        rows = list_outliers(session, ranking, context.now, _PAGE_ROWS + 1, before)
    if rows:
        _table(context, rows[:_PAGE_ROWS], is_learnt=ranking.reranker is not None)
        step_older(_PLACE, rows, _PAGE_ROWS)
    else:
        traffic = markup.link("traffic", "Traffic", outliers="true", window="30d")
        advice = Markup("No scan selected any. Older ones are in {}.").format(traffic)
        markup.empty("No outliers", advice)
    _propose(context, cached_reads.odd_vetted())


def _propose(context: PageContext, rows: Sequence[OddVetted]) -> None:
    """Requests that are no outliers, for a person to look at."""
    if not rows:
        return
    markup.section("To vet", "The oddest requests that models learn from: confirm or dismiss them.")
    columns = [
        Column("Received", "nowrap"),
        Column("Request"),
        Column("Client"),
        Column("p-value", "right nowrap"),
    ]
    markup.table(columns, [_propose_one(context, row) for row in rows])


def _propose_one(context: PageContext, row: OddVetted) -> list[str]:
    return [
        _say_when(context, row.received_at),
        markup.request_link(row.request_id),
        markup.client_link(row.client),
        words.number(row.p_value),
    ]


def _table(context: PageContext, rows: Sequence[RankedOutlier], *, is_learnt: bool) -> None:
    columns = [
        Column("Received", "nowrap"),
        Column("Request"),
        Column("Client, and why it stands here" if is_learnt else "Client"),
        Column("Verdict"),
        Column("p-value", "right nowrap"),
        Column("Feedback", "nowrap"),
    ]
    markup.table(columns, _lines(context, rows, is_learnt=is_learnt))


def _lines(
    context: PageContext, rows: Sequence[RankedOutlier], *, is_learnt: bool
) -> Iterator[Sequence[str] | GroupRow]:
    for is_judged, part in groupby(rows, key=lambda row: row.is_judged):
        if is_learnt and not is_judged:
            yield GroupRow(NOT_JUDGED)
        elif is_learnt:
            yield GroupRow("Most like what was confirmed first")
        yield from (_cells(context, row) for row in part)


def _cells(context: PageContext, row: RankedOutlier) -> list[str]:
    request, client = row.request, markup.client_link(row.request.client)
    return [
        _say_when(context, request.received_at),
        markup.request_link(request.request_id),
        markup.stack(client, row.rank) if row.is_judged else client,
        markup.verdict_badge(request.verdict),
        words.number(request.p_value) if request.p_value is not None else "",
        markup.feedback_badge(row.feedback) if row.feedback else markup.quiet("none"),
    ]


def _say_when(context: PageContext, at: datetime) -> str:
    return markup.stack(f"{at:%Y-%m-%d %H:%M:%S}", words.ago(at, context.now))


if __name__ == "__main__":
    show()
