"""Which outlier model was in force when.

Revision: 0026
Revises: 0025

Safety: makes a small table, and writes one row: the model that is promoted now. Going back drops
it; the model stays promoted.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0026"
down_revision = "0025"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "promotions",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("model_id", _BIG_ID, nullable=False),
        sa.Column("previous_id", _BIG_ID, nullable=True),
        sa.Column("promoted_at", UtcDateTime(), nullable=False),
        sa.Column("promoted_by", sa.String(80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["outlier_models.id"], name="fk_promotions_model_id"),
        sa.ForeignKeyConstraint(
            ["previous_id"], ["promotions.id"], name="fk_promotions_previous_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_promotions"),
    )
    op.execute(
        "INSERT INTO promotions (model_id, promoted_at, promoted_by, why) "
        "SELECT id, trained_at, 'job:retrain', 'It was in force before promotions were listed.' "
        "FROM outlier_models WHERE promoted"
    )


def downgrade() -> None:
    op.drop_table("promotions")
