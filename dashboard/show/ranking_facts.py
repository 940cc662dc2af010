"""What orders a list: labels or not, how many there are, and what they are worth."""

import streamlit as st
from markupsafe import Markup

from dashboard.show import markup
from detectors.ranking.labels import MIN_LABELS, LabelCount
from detectors.ranking.trial import HeldOut
from store.pages.ranking_views import Ranking


def show_ranking(ranking: Ranking, order: str) -> None:
    """The state of the order.

    Args:
        order: how the list is ordered, in words.
    """
    with st.container(border=True):
        markup.facts({"Order": order, "Labels": _labels(ranking.labels), **_figures(ranking)})
        if remarks := " ".join(_list_remarks(ranking)):
            markup.put(markup.quiet(remarks))


def _labels(labels: LabelCount | None) -> str:
    if labels is None:
        return "none yet: there is no outlier model of this version"
    number = str(labels.counted)
    if labels.counted < MIN_LABELS:
        number = f"{number} of {MIN_LABELS} labels"
    return markup.stack(number, f"{labels.confirmed} confirmed, {labels.dismissed} dismissed")


def _figures(ranking: Ranking) -> dict[str, Markup]:
    held_out = ranking.held_out
    if held_out is None:
        return {}
    return {
        "Held-out AUROC": markup.stack(f"{held_out.auroc:.2f}", _interval(held_out)),
        "By p-value alone": markup.stack(f"{held_out.p_value_auroc:.2f}", "on the same labels"),
    }


def _interval(held_out: HeldOut) -> str:
    low, high = held_out.gain_low, held_out.gain_high
    return f"gain {held_out.gain:z.2f}, 95 % from {low:.2f} to {high:.2f}"


def _list_remarks(ranking: Ranking) -> list[str]:
    lacks = [] if ranking.labels is None else list(ranking.labels.list_lacks())
    return [*([ranking.note] if ranking.note else []), *lacks]
