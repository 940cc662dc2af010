"""Which outlier model was in force when, and the frozen sets that models are held against.

Revision: 0026
Revises: 0025

Safety: makes two small tables, and writes one row: the model that is promoted now. Going back drops
them; the model stays promoted, and the files of frozen sets stay where they are.
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
    op.create_table(
        "frozen_sets",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("clients", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_frozen_sets"),
    )


def downgrade() -> None:
    op.drop_table("frozen_sets")
    op.drop_table("promotions")
