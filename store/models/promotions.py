"""Promotions: which outlier model, or re-ranker, was in force when, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.audit.actors import job
from store.tables.model_tables import PromotionRow, RerankerPromotionRow

_BY_JOBS = job("")
Row = TypeVar("Row", PromotionRow, RerankerPromotionRow)
"""Promotions of outlier models or of re-rankers: two lists with the same columns."""


class NoWayBack(MaskwatchError):
    """No model was in force before the present one."""


@dataclass(frozen=True)
class Promotion:
    """One model takes the place of the one that is in force.

    Attributes:
        model_id: ``None`` for a re-ranker that goes without another one in its place.
        why: one sentence.
        previous_id: the promotion that a roll-back of this one returns to.
    """

    model_id: int | None
    by: str
    at: datetime
    why: str
    previous_id: int | None


def add_promotion(session: Session, of: type[Row], promotion: Promotion) -> None:
    """Append a promotion."""
    row = of(
        model_id=promotion.model_id,
        previous_id=promotion.previous_id,
        promoted_at=promotion.at,
        promoted_by=promotion.by,
        why=promotion.why,
    )
    session.add(row)


def find_present(session: Session, of: type[Row]) -> Row | None:
    """The promotion of what is in force."""
    return session.scalars(select(of).order_by(of.id.desc()).limit(1)).first()


def find_previous(session: Session, of: type[Row], model_id: int) -> int | None:
    """The promotion before that of a model; one that is in force already is not before itself."""
    present = find_present(session, of)
    if present is None:
        return None
    return present.previous_id if present.model_id == model_id else present.id


def find_way_back(session: Session) -> PromotionRow:
    """The promotion of an outlier model that a roll-back returns to.

    Raises:
        NoWayBack: there is none.
    """
    present = find_present(session, PromotionRow)
    if present is None or present.previous_id is None:
        raise NoWayBack(
            "No outlier model was in force before the present one: `maskwatch detectors list` "
            "shows those that can be promoted."
        )
    return session.get_one(PromotionRow, present.previous_id)


def list_promotions(session: Session, of: type[Row]) -> Sequence[Row]:
    """All promotions, the oldest first."""
    return session.scalars(select(of).order_by(of.id)).all()


def is_by_job(promotion: PromotionRow | RerankerPromotionRow) -> bool:
    """Whether no person put it in force."""
    return promotion.promoted_by.startswith(_BY_JOBS)


def find_promotion_to_hold_against(session: Session, since: datetime) -> PromotionRow | None:
    """The promotion whose model a challenger may not be too far from, over all nights since a time.

    It is the one in force then, or the first one ever. What a person put in force after that time
    counts in its place: a step that somebody looked at is no drift.
    """
    promotions = list_promotions(session, PromotionRow)
    before = [each for each in promotions if each.promoted_at <= since]
    by_hand = [each for each in promotions if not is_by_job(each)]
    candidates = [*before[-1:], *by_hand[-1:]] or promotions[:1]
    return max(candidates, key=lambda each: each.id, default=None)
