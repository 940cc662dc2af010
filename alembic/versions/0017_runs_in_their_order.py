"""The latest run of a job is the one that began last, whatever the clock said.

Revision: 0017
Revises: 0016

Safety: builds one index over the job runs and drops the one that it replaces; jobs wait meanwhile,
a second for a million runs. Going back does the same the other way round.
"""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    with op.batch_alter_table("job_runs") as batch_op:
        batch_op.create_index("ix_job_runs_job_id", ["job", "id"])
        batch_op.drop_index("ix_job_runs_job_started_at")


def downgrade() -> None:
    with op.batch_alter_table("job_runs") as batch_op:
        batch_op.create_index("ix_job_runs_job_started_at", ["job", "started_at"])
        batch_op.drop_index("ix_job_runs_job_id")
