"""Evidence is found by its file, so that a file that no request needs any more can go.

Revision: 0014
Revises: 0013

Safety: one more index on a small table; writers of evidence wait while it is built, a second or two
for a hundred thousand pictures. Going back drops it.
"""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index(op.f("ix_evidence_sha256"), "evidence", ["sha256"])


def downgrade() -> None:
    op.drop_index(op.f("ix_evidence_sha256"), table_name="evidence")
