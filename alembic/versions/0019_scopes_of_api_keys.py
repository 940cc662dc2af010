"""What an API key is good for.

Revision: 0019
Revises: 0018

Safety: adds a column to a small table and fills it, which takes a moment; keys that exist are for
parsing, as before. Going back drops the column and revokes the keys that were not for parsing, for
they would be from then on.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # Without a default and not in a batch: SQLite adds the column in place.
    op.add_column("api_keys", sa.Column("scopes", sa.JSON(), nullable=True))
    op.execute("""UPDATE api_keys SET scopes = '["parse"]'""")


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
    op.drop_column("api_keys", "scopes")
