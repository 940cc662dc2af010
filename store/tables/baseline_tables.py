"""Tables of what is learnt of the sources: baselines, phases, alarm budgets."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables.base import Base, BigId


class BaselineRow(Base):
    """What clean pictures look like to a source, as text; appended, and found by its hash.

    Attributes:
        origin: ``learnt`` from traffic, ``shipped`` with a model, or ``file`` of an operator.
        text: as :func:`detectors.baseline.baseline_text.to_json` writes it.
        parent_id: the baseline that was in force when it was learnt.
    """

    __tablename__ = "baselines"
    __table_args__ = (Index(None, "source", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    origin: Mapped[str] = mapped_column(String(8))
    rows: Mapped[int]
    clients: Mapped[int]
    learnt_at: Mapped[datetime]
    promoted_at: Mapped[datetime | None]
    promoted_by: Mapped[str | None] = mapped_column(String(80))
    parent_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("baselines.id"))
    metrics: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(Text)


class SourceRow(Base):
    """What a parse comes from, and how well it is known.

    Attributes:
        baseline_id: the baseline that judges; ``None`` while none does.
        anchor_id: the baseline from which those learnt later may move only so far in all.
        learning_since: records of before are not learnt from.
        pictures: sampled pictures that count, and ``clients`` who sent them.
        why: what holds it in its phase, one sentence.
        is_strange: whether it was put back since its traffic did not fit its baseline.
        tested_at: when its traffic was last held against a baseline.
        learnt_at: when a baseline was last learnt, whether it was put in force or not.
        limits: learnt ones by name: of the topology rules, and of suspected triggers.
    """

    __tablename__ = "sources"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    phase: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime]
    baseline_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("baselines.id"))
    anchor_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("baselines.id"))
    learning_since: Mapped[datetime]
    pictures: Mapped[int]
    clients: Mapped[int]
    why: Mapped[str] = mapped_column(Text)
    is_strange: Mapped[bool]
    tested_at: Mapped[datetime | None]
    learnt_at: Mapped[datetime | None]
    max_entropy: Mapped[float | None] = mapped_column(Double)
    limits: Mapped[dict[str, Any] | None]
    version: Mapped[int] = mapped_column(BigInteger)


class SourceNameRow(Base):
    """What an operator calls a source, whether anything is learnt of it or not."""

    __tablename__ = "source_names"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(300))


class RuleBudgetRow(Base):
    """On how much of a source's accepted traffic a rule fires."""

    __tablename__ = "rule_budgets"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    rule: Mapped[str] = mapped_column(String(64), primary_key=True)
    share: Mapped[float] = mapped_column(Double)
    budget: Mapped[float] = mapped_column(Double)
    requests: Mapped[int]
    clients: Mapped[int]
    firing_clients: Mapped[int]
    is_demoted: Mapped[bool]
    since: Mapped[datetime]
    counted_at: Mapped[datetime]


class DriftRow(Base):
    """How far a source's newest traffic is from what the outlier model in force learnt from.

    Attributes:
        kind: as :class:`detectors.drift.drift.DriftKind` has it.
        model_digest: the outlier model whose training window it was held against.
        since: since when the kind is the same.
        shifts: the features that moved, the furthest first: ``name``, ``index``, ``q_value``,
            ``is_higher``, ``same_way`` and ``pushers``.
    """

    __tablename__ = "drifts"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    model_digest: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime]
    tested_at: Mapped[datetime]
    requests: Mapped[int]
    networks: Mapped[int]
    shifts: Mapped[list[dict[str, Any]]]
