"""Requests in a list."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from dashboard.show import markup, words
from dashboard.show.markup import Column, Tone
from store.pages.traffic import RequestSummary


def request_table(
    requests: Sequence[RequestSummary], now: datetime, *, with_client: bool = True
) -> None:
    """One line per request; the id opens it."""
    columns = [
        Column("Received (UTC)", "nowrap"),
        Column("Request"),
        Column("Through"),
        Column("Verdict"),
        Column("Reasons"),
        Column("Stage"),
        Column("Status", "right"),
    ]
    if with_client:
        columns.insert(2, Column("Client"))
    markup.table(columns, [_line(request, now, with_client) for request in requests])


def _line(request: RequestSummary, now: datetime, with_client: bool) -> list[str]:
    cells: list[str] = [
        markup.join(
            (
                f"{request.received_at:%Y-%m-%d %H:%M:%S}",
                markup.quiet(words.ago(request.received_at, now)),
            )
        ),
        markup.request_link(request.request_id),
        words.way_in(request.route),
        _verdict(request),
        markup.reasons(request.reasons),
        words.label(request.stage),
        str(request.status),
    ]
    if with_client:
        cells.insert(2, markup.client_link(request.client))
    return cells


def _verdict(request: RequestSummary) -> Markup:
    badge = markup.verdict_badge(request.verdict)
    if not request.outlier:
        return badge
    return markup.badges(badge, markup.badge("◆ Outlier", Tone.INFO), _values(request))


def _values(request: RequestSummary) -> Markup:
    """What an outlier's p-value and q-value are."""
    values = {"p": request.p_value, "q": request.q_value}
    pairs = (f"{name} {words.number(v)}" for name, v in values.items() if v is not None)
    return markup.quiet(" · ".join(pairs))
