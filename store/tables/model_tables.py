"""Tables around the outlier models and re-rankers: which was in force when, held against what."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, BigId


class PromotionRow(Base):
    """An outlier model became the champion. Appended, never changed.

    Attributes:
        previous_id: the promotion that a roll-back returns to; that of a roll-back is what stood
            before the one that it returned to, so that two of them go back by two.
        why: one sentence.
    """

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_id: Mapped[int] = mapped_column(BigId, ForeignKey("outlier_models.id"))
    previous_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("promotions.id"))
    promoted_at: Mapped[datetime]
    promoted_by: Mapped[str] = mapped_column(String(80))
    why: Mapped[str] = mapped_column(Text)


class FrozenSetRow(Base):
    """Requests that models are held against; the newest of a kind holds, and none changes.

    Attributes:
        kind: ``clean`` or ``attack``.
        digest: SHA-256 of the file.
        why: what a person says of it.
    """

    __tablename__ = "frozen_sets"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    digest: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    clients: Mapped[int]
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(80))
    why: Mapped[str] = mapped_column(Text)


class RerankerRow(Base):
    """A re-ranker that was trained; the archive itself lies in a content-addressed file.

    Attributes:
        basis: of the outlier models whose scores it learnt from.
        labels: as how many labels those that it learnt from count.
        metrics: of its held-out trial, and why it was promoted or held back.
    """

    __tablename__ = "rerankers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    basis: Mapped[str] = mapped_column(String(16))
    trained_at: Mapped[datetime]
    labels: Mapped[int]
    metrics: Mapped[dict[str, Any]]


class RerankerPromotionRow(Base):
    """A re-ranker came into force. Appended, never changed; as :class:`PromotionRow`.

    Attributes:
        model_id: the re-ranker; ``None`` for a return to the order by p-value.
    """

    __tablename__ = "reranker_promotions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("rerankers.id"))
    previous_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("reranker_promotions.id"))
    promoted_at: Mapped[datetime]
    promoted_by: Mapped[str] = mapped_column(String(80))
    why: Mapped[str] = mapped_column(Text)
