"""Tables around the outlier models: which was in force when, and what they are held against."""

from datetime import datetime

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
