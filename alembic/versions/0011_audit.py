"""The audit table, a hash chain that both databases refuse to change.

Revision: 0011
Revises: 0010

Safety: creates one empty table and triggers on it; nothing else is locked. Going back drops the
table with every row in it, and with them the only proof of who changed what: export it first with
`maskwatch audit list --json`. On SQLite a later migration must not alter this table in batch mode,
which makes the table anew and loses its triggers.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_SQLITE = (
    """
    CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END
    """,
    """
    CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END
    """,
    # INSERT OR REPLACE deletes without asking the trigger above.
    """
    CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
    WHEN EXISTS (
        SELECT 1 FROM audit WHERE sequence = NEW.sequence OR own_hash = NEW.own_hash
    )
    BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION maskwatch_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit table is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION maskwatch_audit_is_append_only()
    """,
    """
    CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION maskwatch_audit_is_append_only()
    """,
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=300), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("own_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
        sa.UniqueConstraint("own_hash", name=op.f("uq_audit_own_hash")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"])
    op.create_index(op.f("ix_audit_actor_sequence"), "audit", ["actor", "sequence"])
    op.create_index(op.f("ix_audit_action_sequence"), "audit", ["action", "sequence"])
    for statement in _SQLITE if _is_sqlite() else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit")
    if not _is_sqlite():
        op.execute("DROP FUNCTION maskwatch_audit_is_append_only()")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
