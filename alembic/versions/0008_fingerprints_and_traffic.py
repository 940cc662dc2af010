"""Fingerprints of a sliding window, and what the traffic features measure.

Revision: 0008
Revises: 0007

Safety: creates two empty tables and adds columns without a default, which neither rewrites the
table nor keeps it locked for longer than a moment on either database. Going back drops them: a
search that is under way is then forgotten, and its next queries start a new family.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0008"
down_revision = "0007"

# Name and unit of each column, as they were when this was written.
_COLUMNS = (
    ("client_rate", "requests/min"),
    ("client_interval", "seconds"),
    ("client_refusal_share", "share"),
    ("fine_duplicates", "count"),
    ("coarse_duplicates", "count"),
    ("family_clients", "count"),
    ("family_sizes", "count"),
    ("label_delta", "share"),
    ("probing_score", "count"),
    ("traffic_ms", "ms"),
)
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "fingerprints",
        sa.Column("request_pk", _BIG_ID, nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("family", sa.String(length=36), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_pk"],
            ["requests.id"],
            name=op.f("fk_fingerprints_request_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_pk", name=op.f("pk_fingerprints")),
    )
    for column in ("received_at", "family"):
        op.create_index(op.f(f"ix_fingerprints_{column}"), "fingerprints", [column])
    op.create_table(
        "fingerprint_keys",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request_pk", _BIG_ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_pk"],
            ["fingerprints.request_pk"],
            name=op.f("fk_fingerprint_keys_request_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "request_pk", name=op.f("pk_fingerprint_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_fingerprint_keys_request_pk"), "fingerprint_keys", ["request_pk"])
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        for name, unit in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.Double(), nullable=True, comment=unit))


def downgrade() -> None:
    with op.batch_alter_table("request_features", schema=None) as batch_op:
        for name, _ in reversed(_COLUMNS):
            batch_op.drop_column(name)
    op.drop_table("fingerprint_keys")
    op.drop_table("fingerprints")
