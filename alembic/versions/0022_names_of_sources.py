"""What operators call the sources.

Revision: 0022
Revises: 0021

Safety: creates one empty table; nothing is locked. Going back drops it: pages show digests alone
then, until each service was started again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "source_names",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_source_names")),
    )


def downgrade() -> None:
    op.drop_table("source_names")
