"""Scores have no index of when they were written: no read looks for them by that.

Revision: 0029
Revises: 0028

Safety: drops one index, at once; on PostgreSQL readers and writers of scores wait for as long as a
reading of them that runs already. Going back builds it: the scan waits meanwhile, some seconds for
a million scores.
"""

from alembic import op

revision = "0029"
down_revision = "0028"

_INDEX = "ix_scores_scored_at"


def upgrade() -> None:
    op.drop_index(_INDEX, table_name="scores")


def downgrade() -> None:
    op.create_index(_INDEX, "scores", ["scored_at"])
