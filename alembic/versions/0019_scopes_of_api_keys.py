"""What an API key is good for.

Revision: 0019
Revises: 0018

Safety: adds one column with a constant default to a small table; no row is written anew on
PostgreSQL, and SQLite copies as many rows as there are keys. Keys that exist are for parsing, as
before. Going back drops the column and revokes the keys that were not for parsing, for they would
be from then on.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    with op.batch_alter_table("api_keys") as batch_op:
        batch_op.add_column(
            sa.Column("scopes", sa.JSON(), server_default='["parse"]', nullable=False)
        )


def downgrade() -> None:
    keys = sa.table(
        "api_keys",
        sa.column("scopes"),
        sa.column("revoked_at", UtcDateTime()),
        sa.column("revoked_by"),
    )
    op.execute(
        keys.update()
        .where(sa.cast(keys.c.scopes, sa.Text()).not_like("%parse%"), keys.c.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC), revoked_by="migration 0019")
    )
    with op.batch_alter_table("api_keys") as batch_op:
        batch_op.drop_column("scopes")
