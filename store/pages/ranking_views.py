"""Read models of the order that labels taught: its state, and the lists that it orders.

Nothing is left out of a list by it. What it cannot judge stands first: nothing sinks unseen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detectors.ranking.labels import LabelCount
from detectors.ranking.reranker import Reranker, RerankerError
from detectors.ranking.trial import HeldOut
from store.families.labels import read_labels
from store.families.recorded import find_basis, read_inputs
from store.models.archive_signatures import UntrustedModel
from store.models.outlier_models import HELD_BACK
from store.models.promotions import find_present
from store.models.rerankers import RerankerStore, find_reranker_in_force, list_rerankers
from store.pages.family_views import FamilyView, list_families, newest_members, view_families
from store.pages.traffic import RequestSummary, requests_of_keys
from store.requests.request_keys import key_of
from store.tables.family_tables import FamilyRow, FeedbackRow
from store.tables.model_tables import RerankerPromotionRow, RerankerRow
from store.tables.request_tables import ScoreRow

SPAN = timedelta(days=7)
"""Outliers of so long are listed."""
MAX_OUTLIERS = 500
"""The newest so many outliers are listed, and put in order."""
MAX_FAMILIES = 100
"""The newest so many families are put in order; older ones follow by time."""

_MEMBERS, _LEADING, _REASONS, _LEAST_SHARE = 20, 5, 3, 0.05
NOT_JUDGED = "Not judged: no outlier model that the order was learnt from has scored it."


@dataclass(frozen=True, eq=False)
class Ranking:
    """What orders the lists, and how far the labels are.

    Attributes:
        reranker: ``None`` for the order without one.
        name: of the re-ranker in force, such as ``r3``, also if it cannot be used.
        note: why there is none, or why it is not used, in sentences.
        labels: that there are now; ``None`` without an outlier model that they could be about.
        held_out: the trial of the re-ranker in force.
    """

    reranker: Reranker | None
    name: str | None
    note: str
    labels: LabelCount | None
    held_out: HeldOut | None

    @property
    def order(self) -> str:
        """What orders outliers, in words."""
        return f"Learnt from labels ({self.name})" if self.reranker else "By p-value"


@dataclass(frozen=True)
class RankedOutlier:
    """An outlier in its place.

    Attributes:
        rank: why it stands there.
        is_judged: whether the order was learnt and knows it.
        feedback: what a person said of it last: ``confirmed`` or ``dismissed``.
    """

    request: RequestSummary
    rank: str
    is_judged: bool
    feedback: str | None

    @property
    def id(self) -> int:
        """The key of the request."""
        return self.request.pk


def read_ranking(session: Session, store: RerankerStore) -> Ranking:
    """The re-ranker in force if it can be used, and the labels."""
    row, basis = find_reranker_in_force(session), find_basis(session)
    labels = None if basis is None else read_labels(session, basis).count
    if row is None:
        return Ranking(None, None, _say_why_there_is_none(session, labels), labels, None)
    reranker, note = _read_reranker(store, row, basis)
    held_out = HeldOut.of_metrics(row.metrics)
    return Ranking(reranker, f"r{row.id}", note, labels, held_out)


def list_outliers(
    session: Session, ranking: Ranking, now: datetime, most: int, before: int | None = None
) -> tuple[RankedOutlier, ...]:
    """Outliers of seven days, the newest 500, in their order; with a key, those behind it."""
    p_values = _read_p_values(session, now, before)
    ranks = _rank_requests(session, ranking.reranker, tuple(p_values))
    order = sorted(p_values, key=lambda key: (*_place(ranks.get(key)), p_values[key], -key))
    keys = _behind(order, before)[:most]
    requests = {each.pk: each for each in requests_of_keys(session, keys)}
    feedback = _read_feedback(session, keys)
    return tuple(
        RankedOutlier(
            requests[key],
            _explain(ranking.reranker, ranks.get(key)),
            key in ranks,
            feedback.get(key),
        )
        for key in keys
        if key in requests
    )


def list_ranked_families(
    session: Session, ranking: Ranking, now: datetime, most: int, before: int | None = None
) -> tuple[FamilyView, ...]:
    """Families in their order, of which the newest 100 have one; with a number, those behind it.

    Without a re-ranker those that grew last stand first.
    """
    newest = _newest_families(session) if ranking.reranker else ()
    if not newest or (before is not None and before not in newest):
        return list_families(session, now, most, before)
    ranks = _rank_families(session, ranking.reranker, newest)
    order = sorted(newest, key=lambda number: (*_place(ranks.get(number)), newest.index(number)))
    ids = _behind(order, before)[:most]
    views = tuple(
        replace(view, rank=_explain(ranking.reranker, ranks.get(view.id)))
        for view in view_families(session, ids, now)
    )
    return views + list_families(session, now, most - len(views), newest[-1])


@dataclass(frozen=True)
class _Rank:
    """How like an attack something is, and what each input adds to that."""

    value: float
    shares: Mapping[str, float]


def _read_reranker(
    store: RerankerStore, row: RerankerRow, basis: str | None
) -> tuple[Reranker | None, str]:
    """The re-ranker, or why it is not used."""
    if row.basis != basis:
        return None, (
            f"r{row.id} is not used: it learnt from the scores of an outlier model of another kind "
            "or with other features. Requests are not judged by labels until one learnt from the "
            "new scores."
        )
    try:
        return store.read(row), ""
    except (RerankerError, UntrustedModel) as error:
        return None, f"r{row.id} is not used. {error}"


def _say_why_there_is_none(session: Session, labels: LabelCount | None) -> str:
    """Why no re-ranker is in force; empty while labels are too few for a first one."""
    said = [*_say_who_took_it_out(session), *_say_last_trial(session)]
    if not said and labels is not None and labels.suffices:
        said = [
            "An order is learnt from them after the next retraining; `maskwatch jobs run "
            "train_reranker` does so now."
        ]
    return " ".join(said)


def _say_who_took_it_out(session: Session) -> Iterator[str]:
    last = find_present(session, RerankerPromotionRow)
    if last is not None:
        at = f"{last.promoted_at:%Y-%m-%d %H:%M} UTC"
        yield f"{last.promoted_by} took the last one out of force at {at}: {last.why}"


def _say_last_trial(session: Session) -> Iterator[str]:
    newest = next(iter(list_rerankers(session)), None)
    if newest is not None and HELD_BACK in newest.metrics:
        yield f"r{newest.id} was held back. {newest.metrics[HELD_BACK]}"


def _read_p_values(session: Session, now: datetime, also: int | None) -> dict[int, float]:
    """The smallest p-value of each of the newest outliers, the newest first.

    Args:
        also: one that a page ended with, and that newer ones may have driven out since.
    """
    smallest = (
        select(ScoreRow.request_pk, func.min(ScoreRow.p_value))
        .where(ScoreRow.outlier)
        .group_by(ScoreRow.request_pk)
    )
    newest = (
        smallest.where(ScoreRow.request_pk >= key_of(now - SPAN))
        .order_by(ScoreRow.request_pk.desc())
        .limit(MAX_OUTLIERS)
    )
    statements = [newest] if also is None else [newest, smallest.where(ScoreRow.request_pk == also)]
    return {row[0]: row[1] for each in statements for row in session.execute(each)}


def _read_feedback(session: Session, keys: Sequence[int]) -> dict[int, str]:
    columns = select(FeedbackRow.request_pk, FeedbackRow.feedback)
    rows = session.execute(columns.where(FeedbackRow.request_pk.in_(keys)))
    return {row.request_pk: row.feedback for row in rows}


def _rank_requests(
    session: Session, reranker: Reranker | None, keys: Sequence[int]
) -> dict[int, _Rank]:
    """By key, of those that the re-ranker knows."""
    if reranker is None:
        return {}
    return {
        key: _Rank(float(reranker.rank(row[np.newaxis])[0]), reranker.explain(row))
        for key, row in read_inputs(session, keys, reranker.basis).items()
    }


def _newest_families(session: Session) -> Sequence[int]:
    rows = select(FamilyRow.id).where(FamilyRow.merged_into.is_(None))
    order = rows.order_by(FamilyRow.last_at.desc(), FamilyRow.id.desc())
    return session.scalars(order.limit(MAX_FAMILIES)).all()


def _rank_families(
    session: Session, reranker: Reranker | None, families: Sequence[int]
) -> dict[int, _Rank]:
    """By number. Whoever sends ordinary requests beside attacks does not lower it: of the newest
    twenty of a family the five most like attacks count.
    """
    members = {number: newest_members(session, number, _MEMBERS) for number in families}
    keys = [key for each in members.values() for key in each]
    ranks = _rank_requests(session, reranker, keys)
    leading = {
        number: sorted((ranks[key] for key in each if key in ranks), key=lambda rank: -rank.value)
        for number, each in members.items()
    }
    return {number: _mean(each[:_LEADING]) for number, each in leading.items() if each}


def _mean(ranks: Sequence[_Rank]) -> _Rank:
    names = ranks[0].shares
    shares = {name: sum(rank.shares[name] for rank in ranks) / len(ranks) for name in names}
    return _Rank(sum(rank.value for rank in ranks) / len(ranks), shares)


def _place(rank: _Rank | None) -> tuple[bool, float]:
    """What is not judged stands first, then what is most like an attack."""
    return (False, 0.0) if rank is None else (True, -rank.value)


def _behind(order: Sequence[int], before: int | None) -> Sequence[int]:
    return order if before not in order else order[order.index(before) + 1 :]


def _explain(reranker: Reranker | None, rank: _Rank | None) -> str:
    """The inputs that add or take most, in words."""
    if reranker is None:
        return ""
    if rank is None:
        return NOT_JUDGED
    order = sorted(rank.shares.items(), key=lambda share: -abs(share[1]))
    shares = [each for each in order[:_REASONS] if abs(each[1]) >= _LEAST_SHARE]
    speaks_for = [reranker.phrase_share(*each) for each in shares if each[1] > 0]
    speaks_against = [reranker.phrase_share(*each) for each in shares if each[1] < 0]
    parts = {"For an attack": speaks_for, "Against": speaks_against}
    sentences = (f"{words}: {', '.join(each)}." for words, each in parts.items() if each)
    return " ".join(sentences) or "Nothing speaks for or against an attack."
