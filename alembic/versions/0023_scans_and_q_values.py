"""Scans, and what an outlier was compared with: its q-value and its calibration set.

Revision: 0023
Revises: 0022

Safety: adds empty columns and an empty table, which takes a moment on both databases. Scores of
before keep their outliers and have no q-value. Going back drops all of it: what an unfinished scan
has scored then stays without outliers.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0023"
down_revision = "0022"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Not in a batch: SQLite would copy the whole table.
    for column in _columns():
        op.add_column("scores", column)
    op.create_table(
        "scans",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("after_key", sa.BigInteger(), nullable=False),
        sa.Column("through_key", sa.BigInteger(), nullable=False),
        sa.Column("leaves_gap", sa.Boolean(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("false_discovery_rate", sa.Double(), nullable=True),
        sa.Column("calibration_rows", sa.Integer(), nullable=True),
        sa.Column("is_promised", sa.Boolean(), nullable=True),
        sa.Column("outliers", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_scans"),
    )


def downgrade() -> None:
    op.drop_table("scans")
    for column in reversed(_columns()):
        op.drop_column("scores", column.name)


def _columns() -> tuple[sa.Column[float], sa.Column[int], sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("q_value", sa.Double(), nullable=True),
        sa.Column("scan_id", sa.BigInteger(), nullable=True),
        sa.Column("calibrated_on", sa.String(8), nullable=True),
        sa.Column("calibration_rows", sa.Integer(), nullable=True),
    )
