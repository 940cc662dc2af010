"""Outliers: unusual requests of the last days, in the order in which to look at them."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from dashboard import address, cached_reads
from dashboard.access.page_context import PageContext, current_page
from dashboard.paging import older_than, step_older
from dashboard.show import markup, words
from dashboard.show.markup import Column, GroupRow, Tone
from dashboard.show.ranking_facts import show_ranking
from store.pages.ranking_views import NOT_JUDGED, RankedOutlier, list_outliers

_PAGE_ROWS = 50
_PLACE = "outliers_place"
_FEEDBACK = {"confirmed": ("✕ Confirmed", Tone.BAD), "dismissed": ("✓ Dismissed", Tone.GOOD)}


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
    if not rows:
        traffic = markup.link("traffic", "Traffic", outliers="true", window="30d")
        advice = Markup("No scan selected any. Older ones are in {}.").format(traffic)
        markup.empty("No outliers", advice)
        return
    _table(context, rows[:_PAGE_ROWS], is_learnt=ranking.reranker is not None)
    step_older(_PLACE, rows, _PAGE_ROWS)


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
        markup.stack(
            f"{request.received_at:%Y-%m-%d %H:%M:%S}", words.ago(request.received_at, context.now)
        ),
        markup.request_link(request.request_id),
        markup.stack(client, row.rank) if row.is_judged else client,
        markup.verdict_badge(request.verdict),
        words.number(request.p_value) if request.p_value is not None else "",
        markup.badge(*_FEEDBACK[row.feedback]) if row.feedback else markup.quiet("none"),
    ]


if __name__ == "__main__":
    show()
