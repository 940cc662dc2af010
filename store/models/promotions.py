"""Promotions: which outlier model was in force when, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.audit.actors import job
from store.tables.model_tables import PromotionRow

_BY_JOBS = job("")


class NoWayBack(MaskwatchError):
    """No model was in force before the present one."""


@dataclass(frozen=True)
class Promotion:
    """One model takes the place of the champion.

    Attributes:
        why: one sentence.
        previous_id: the promotion that a roll-back of this one returns to.
    """

    model_id: int
    by: str
    at: datetime
    why: str
    previous_id: int | None


def add_promotion(session: Session, promotion: Promotion) -> None:
    """Append a promotion."""
    row = PromotionRow(
        model_id=promotion.model_id,
        previous_id=promotion.previous_id,
        promoted_at=promotion.at,
        promoted_by=promotion.by,
        why=promotion.why,
    )
    session.add(row)


def find_present(session: Session) -> PromotionRow | None:
    """The promotion of the champion."""
    return session.scalars(select(PromotionRow).order_by(PromotionRow.id.desc()).limit(1)).first()


def find_way_back(session: Session) -> PromotionRow:
    """The promotion that a roll-back returns to.

    Raises:
        NoWayBack: there is none.
    """
    present = find_present(session)
    if present is None or present.previous_id is None:
        raise NoWayBack(
            "No outlier model was in force before the present one: `maskwatch detectors list` "
            "shows those that can be promoted."
        )
    return session.get_one(PromotionRow, present.previous_id)


def list_promotions(session: Session) -> Sequence[PromotionRow]:
    """All promotions, the oldest first."""
    return session.scalars(select(PromotionRow).order_by(PromotionRow.id)).all()


def find_promotion_to_hold_against(session: Session, since: datetime) -> PromotionRow | None:
    """The promotion whose model a challenger may not be too far from, over all nights since a time.

    It is the one in force then, or the first one ever. What a person put in force after that time
    counts in its place: a step that somebody looked at is no drift.
    """
    promotions = list_promotions(session)
    before = [each for each in promotions if each.promoted_at <= since]
    by_hand = [each for each in promotions if not each.promoted_by.startswith(_BY_JOBS)]
    candidates = [*before[-1:], *by_hand[-1:]] or promotions[:1]
    return max(candidates, key=lambda each: each.id, default=None)
