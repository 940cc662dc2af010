"""On PostgreSQL, counts of days are read from an index alone.

Revision: 0015
Revises: 0014

Safety: one index over the counts of days, a few megabytes; the job `roll_up` waits while it is
built, a second or two for a million counts. Nothing on SQLite, whose table is its index. Going back
drops it.
"""

from alembic import op
from sqlalchemy import text

revision = "0015"
down_revision = "0014"

_INDEX = "ix_roll_ups_days"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            _INDEX,
            "roll_ups",
            ["dimension", "start"],
            postgresql_include=["name", "verdict", "requests"],
            postgresql_where=text("resolution = 86400"),
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(_INDEX, table_name="roll_ups")
