"""Re-rankers, which learn from feedback what to list first, and which was in force when.

Revision: 0028
Revises: 0027

Safety: makes two small tables. Going back drops them: lists are in the order of p-values again, and
the archives stay where they are.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0028"
down_revision = "0027"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "rerankers",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("basis", sa.String(16), nullable=False),
        sa.Column("trained_at", UtcDateTime(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rerankers")),
        sa.UniqueConstraint("digest", name=op.f("uq_rerankers_digest")),
    )
    op.create_table(
        "reranker_promotions",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("model_id", _BIG_ID, nullable=True),
        sa.Column("previous_id", _BIG_ID, nullable=True),
        sa.Column("promoted_at", UtcDateTime(), nullable=False),
        sa.Column("promoted_by", sa.String(80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["rerankers.id"], name=op.f("fk_reranker_promotions_model_id")
        ),
        sa.ForeignKeyConstraint(
            ["previous_id"],
            ["reranker_promotions.id"],
            name=op.f("fk_reranker_promotions_previous_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reranker_promotions")),
    )


def downgrade() -> None:
    op.drop_table("reranker_promotions")
    op.drop_table("rerankers")
