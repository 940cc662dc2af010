"""Tables of families: what unusual requests have in common, and which belong to which."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, BigId


class FamilyRow(Base):
    """Outliers and findings that belong together; it grows, merges and is never numbered anew.

    Attributes:
        requests: that ever joined it, and ``clients`` who sent those that are left.
        kinds: requests by the most telling kind of evidence.
        shared: what they share, the most common first: ``tie``, ``value`` and ``requests``.
        merged_into: the older family that it became a part of.
        feedback: what a person said of it last, as :class:`store.families.feedback.Feedback`.
    """

    __tablename__ = "families"
    __table_args__ = (Index(None, "merged_into", "last_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    formed_at: Mapped[datetime]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    requests: Mapped[int]
    clients: Mapped[int]
    kinds: Mapped[dict[str, Any]]
    shared: Mapped[list[dict[str, Any]]]
    merged_into: Mapped[int | None] = mapped_column(BigId, ForeignKey("families.id"))
    merged_at: Mapped[datetime | None]
    feedback: Mapped[str | None] = mapped_column(String(16))
    feedback_by: Mapped[str | None] = mapped_column(String(80))
    feedback_reason: Mapped[str | None] = mapped_column(Text)
    feedback_at: Mapped[datetime | None]


class FamilyMemberRow(Base):
    """An unusual request that was looked at; without a family as long as it has none."""

    __tablename__ = "family_members"
    __table_args__ = (Index(None, "family_id", "request_pk"),)

    request_pk: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    family_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("families.id"))
    looked_at: Mapped[datetime]


class FeedbackRow(Base):
    """What a person said last of a request, or of the family that it belonged to then."""

    __tablename__ = "feedback"

    request_pk: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    feedback: Mapped[str] = mapped_column(String(16))
    said_by: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime]
    family_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("families.id"))
