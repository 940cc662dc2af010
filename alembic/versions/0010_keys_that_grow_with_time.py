"""Keys of requests that grow with time, and daily partitions on PostgreSQL.

Revision: 0010
Revises: 0009

Safety: copies every record once, on both databases, with all tables locked: about a minute for a
million records, and as much free disk as the records take. Back up first and stop the services;
what arrives meanwhile waits in their spools. It is one transaction: cut off, it leaves the old
tables. Going back copies them again and keeps the new keys, which the old tables take as well.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from store.tables.column_types import UtcDateTime

revision = "0010"
down_revision = "0009"

_CHUNK = 5000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Tables whose rows belong to a request: the column that holds its key, the primary key.
_PARTITIONED = {
    "requests": ("id", ("id",)),
    "request_features": ("request_pk", ("request_pk",)),
    "findings": ("request_pk", ("request_pk", "id")),
    "evidence": ("request_pk", ("request_pk", "id")),
    "scores": ("request_pk", ("request_pk", "id")),
}
_CHILDREN = ("request_features", "findings", "evidence", "scores", "fingerprints")
_NUMBERED = ("findings", "evidence", "scores")
_OLD_INDEXES = {
    "ix_requests_client_received_at": ("requests", ["client", "received_at"]),
    "ix_requests_content_sha256": ("requests", ["content_sha256"]),
    "ix_requests_received_at": ("requests", ["received_at"]),
    "ix_requests_verdict_received_at": ("requests", ["verdict", "received_at"]),
    "ix_findings_rule": ("findings", ["rule"]),
    "ix_evidence_request_pk": ("evidence", ["request_pk"]),
}
_NEW_INDEXES = {
    "ix_requests_request_id": ("requests", ["request_id"]),
    "ix_requests_client_id": ("requests", ["client", "id"]),
    "ix_requests_verdict_id": ("requests", ["verdict", "id"]),
}
_KEPT_INDEXES = {
    "ix_findings_request_pk": ("findings", ["request_pk"]),
    "ix_scores_scored_at": ("scores", ["scored_at"]),
}
_UNIQUE = {
    "uq_evidence_request_pk_kind": ("evidence", ["request_pk", "kind"]),
    "uq_scores_request_pk_model_id": ("scores", ["request_pk", "model_id"]),
}
_MAKE_DAY = """
CREATE FUNCTION maskwatch_make_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  parent name;
  low bigint := (extract(epoch FROM day) * 1000000)::bigint;
  high bigint := (extract(epoch FROM day + 1) * 1000000)::bigint;
  partition text;
BEGIN
  FOR parent IN
    SELECT c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
    WHERE c.relnamespace = '{schema}'::regnamespace ORDER BY c.relname
  LOOP
    partition := parent || '_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass('maskwatch_days.' || quote_ident(partition)) IS NOT NULL;
    EXECUTE format('CREATE TABLE maskwatch_days.%I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                   partition, parent, low, high);
    IF parent = 'requests' THEN
      EXECUTE format('CREATE INDEX ON maskwatch_days.%I USING brin (received_at)', partition);
    END IF;
  END LOOP;
  RETURN true;
EXCEPTION WHEN check_violation THEN
  RETURN false;
END $$
"""
_DROP_DAY = """
CREATE FUNCTION maskwatch_drop_day(day date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  parent name;
  gone bigint := 0;
  partition text;
BEGIN
  FOR parent IN
    SELECT c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
    WHERE c.relnamespace = '{schema}'::regnamespace ORDER BY c.relname
  LOOP
    partition := 'maskwatch_days.' || quote_ident(parent || '_' || to_char(day, 'YYYYMMDD'));
    CONTINUE WHEN to_regclass(partition) IS NULL;
    IF parent = 'requests' THEN
      EXECUTE 'SELECT count(*) FROM ' || partition INTO gone;
    END IF;
    EXECUTE 'DROP TABLE ' || partition;
  END LOOP;
  RETURN gone;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "sequences",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sequences")),
    )
    connection = op.get_bind()
    days = _find_keys(connection)
    if connection.dialect.name == "sqlite":
        _rekey_sqlite()
    else:
        _partition(connection, days)
    connection.execute(
        sa.text(
            "INSERT INTO sequences (name, last) "
            "SELECT 'requests', coalesce(max(id), 0) FROM requests"
        )
    )
    connection.execute(sa.text("DROP TABLE new_keys"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _plain_sqlite()
    else:
        _plain_postgresql()
    op.drop_table("sequences")


def _find_keys(connection: sa.Connection) -> set[date]:
    """Fill a temporary table with the new key of each request; the days that they lie in."""
    connection.execute(
        sa.text("CREATE TEMPORARY TABLE new_keys (old bigint PRIMARY KEY, new bigint NOT NULL)")
    )
    days = set()
    for rows in _in_chunks(connection):
        connection.execute(sa.text("INSERT INTO new_keys VALUES (:old, :new)"), rows)
        days |= {(_EPOCH + timedelta(microseconds=row["new"])).date() for row in rows}
    return days


def _in_chunks(connection: sa.Connection) -> Iterator[list[dict[str, int]]]:
    requests = sa.table("requests", sa.column("id"), sa.column("received_at", UtcDateTime()))
    last_old, last_new = -1, 0
    while True:
        found = connection.execute(
            sa.select(requests.c.id, requests.c.received_at)
            .where(requests.c.id > last_old)
            .order_by(requests.c.id)
            .limit(_CHUNK)
        ).all()
        if not found:
            return
        rows = []
        for old, received_at in found:
            arrival = (received_at - _EPOCH) // timedelta(microseconds=1)
            last_old, last_new = old, max(last_new + 1, arrival)
            rows.append({"old": last_old, "new": last_new})
        yield rows


def _make_indexes(indexes: dict[str, tuple[str, list[str]]]) -> None:
    for name, (table, columns) in indexes.items():
        op.create_index(op.f(name), table, columns)


def _drop_indexes(indexes: dict[str, tuple[str, list[str]]]) -> None:
    for name, (table, _) in indexes.items():
        op.drop_index(op.f(name), table_name=table)


# SQLite: rows keep their tables and get other keys.


def _rekey_sqlite() -> None:
    # A dropped table takes the rows that refer to it along: the keys of fingerprints step aside.
    op.execute("CREATE TEMPORARY TABLE kept_keys AS SELECT * FROM fingerprint_keys")
    op.execute("DELETE FROM fingerprint_keys")
    for child in _CHILDREN:
        with op.batch_alter_table(child) as batch:
            batch.drop_constraint(f"fk_{child}_request_pk", type_="foreignkey")
    _new_keys_for([(child, "request_pk") for child in _CHILDREN])
    op.execute(
        "INSERT INTO fingerprint_keys (key, request_pk) "
        "SELECT k.key, n.new FROM kept_keys k JOIN new_keys n ON n.old = k.request_pk"
    )
    op.execute("DROP TABLE kept_keys")
    _drop_indexes(_OLD_INDEXES)
    with op.batch_alter_table("requests") as batch:
        batch.drop_constraint("uq_requests_request_id", type_="unique")
    _new_keys_for([("requests", "id")])
    _make_indexes(_NEW_INDEXES)


def _new_keys_for(columns: list[tuple[str, str]]) -> None:
    for table, column in columns:
        op.execute(
            f"UPDATE {table} SET {column} = "  # noqa: S608 - names of our own
            f"(SELECT new FROM new_keys WHERE new_keys.old = {table}.{column})"
        )


def _plain_sqlite() -> None:
    op.execute("CREATE TEMPORARY TABLE kept_keys AS SELECT * FROM fingerprint_keys")
    op.execute("DELETE FROM fingerprint_keys")
    _drop_indexes(_NEW_INDEXES)
    with op.batch_alter_table("requests") as batch:
        batch.create_unique_constraint("uq_requests_request_id", ["request_id"])
    for child in _CHILDREN:
        with op.batch_alter_table(child) as batch:
            batch.create_foreign_key(
                f"fk_{child}_request_pk", "requests", ["request_pk"], ["id"], ondelete="CASCADE"
            )
    op.execute("INSERT INTO fingerprint_keys SELECT * FROM kept_keys")
    op.execute("DROP TABLE kept_keys")
    _make_indexes(_OLD_INDEXES)


# PostgreSQL: rows move to partitioned tables and back.


def _partition(connection: sa.Connection, days: set[date]) -> None:
    op.drop_constraint("fk_fingerprints_request_pk", "fingerprints", type_="foreignkey")
    op.drop_constraint("fk_fingerprint_keys_request_pk", "fingerprint_keys", type_="foreignkey")
    for table in ("fingerprints", "fingerprint_keys"):
        op.execute(f"UPDATE {table} SET request_pk = new FROM new_keys WHERE old = request_pk")  # noqa: S608
    op.create_foreign_key(
        op.f("fk_fingerprint_keys_request_pk"),
        *("fingerprint_keys", "fingerprints", ["request_pk"], ["request_pk"]),
        ondelete="CASCADE",
    )
    _set_aside()
    op.execute("CREATE SCHEMA maskwatch_days")
    for table, (key, primary) in _PARTITIONED.items():
        op.execute(
            f"CREATE TABLE {table} (LIKE maskwatch_old.{table} INCLUDING DEFAULTS "
            f"INCLUDING COMMENTS, CONSTRAINT pk_{table} PRIMARY KEY ({', '.join(primary)})) "
            f"PARTITION BY RANGE ({key})"
        )
        op.execute(f"CREATE TABLE maskwatch_days.{table}_rest PARTITION OF {table} DEFAULT")
    op.execute("ALTER TABLE requests ALTER COLUMN id DROP DEFAULT")
    schema = connection.dialect.identifier_preparer.quote(
        connection.execute(sa.text("SELECT current_schema()")).scalar_one()
    )
    for function in (_MAKE_DAY, _DROP_DAY):
        op.execute(function.format(schema=schema))
    for name in ("make", "drop"):
        op.execute(f"REVOKE ALL ON FUNCTION maskwatch_{name}_day(date) FROM PUBLIC")
    for day in sorted(days):
        connection.execute(sa.text("SELECT maskwatch_make_day(:day)"), {"day": day})
    _move_back("JOIN new_keys ON old = {key}", "new")
    _finish()
    _make_indexes(_NEW_INDEXES)


def _set_aside() -> None:
    """Move the old tables out of the way, with their indexes but not with their numbers."""
    op.execute("CREATE SCHEMA maskwatch_old")
    for table in _NUMBERED:
        op.execute(f"ALTER SEQUENCE {table}_id_seq OWNED BY NONE")
    for table in reversed(_PARTITIONED):
        op.execute(f"ALTER TABLE {table} SET SCHEMA maskwatch_old")


def _move_back(join: str, new: str | None) -> None:
    """Copy the rows of the tables that were set aside, then drop these."""
    inspector = sa.inspect(op.get_bind())
    for table, (key, _) in _PARTITIONED.items():
        columns = [c["name"] for c in inspector.get_columns(table, schema="maskwatch_old")]
        values = [new if new and column == key else f"o.{column}" for column in columns]
        op.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "  # noqa: S608
            f"FROM maskwatch_old.{table} o {join.format(key=f'o.{key}')}"
        )
    op.execute("DROP SCHEMA maskwatch_old CASCADE")


def _finish() -> None:
    for table in _NUMBERED:
        op.execute(f"ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id")
    op.create_foreign_key(
        op.f("fk_scores_model_id"), "scores", "outlier_models", ["model_id"], ["id"]
    )
    for name, (table, columns) in _UNIQUE.items():
        op.create_unique_constraint(op.f(name), table, columns)
    _make_indexes(_KEPT_INDEXES)


def _plain_postgresql() -> None:
    _set_aside()
    for table in _PARTITIONED:
        op.execute(
            f"CREATE TABLE {table} (LIKE maskwatch_old.{table} INCLUDING DEFAULTS "
            f"INCLUDING COMMENTS, CONSTRAINT pk_{table} PRIMARY KEY "
            f"({'id' if table != 'request_features' else 'request_pk'}))"
        )
    _move_back("", None)
    op.execute("DROP SCHEMA maskwatch_days CASCADE")
    for name in ("make", "drop"):
        op.execute(f"DROP FUNCTION maskwatch_{name}_day(date)")
    _finish()
    op.create_unique_constraint(op.f("uq_requests_request_id"), "requests", ["request_id"])
    op.execute("CREATE SEQUENCE requests_id_seq OWNED BY requests.id")
    op.execute("SELECT setval('requests_id_seq', coalesce(max(id), 0) + 1) FROM requests")
    op.execute("ALTER TABLE requests ALTER COLUMN id SET DEFAULT nextval('requests_id_seq')")
    for child in _CHILDREN:
        op.create_foreign_key(
            op.f(f"fk_{child}_request_pk"),
            *(child, "requests", ["request_pk"], ["id"]),
            ondelete="CASCADE",
        )
    _make_indexes(_OLD_INDEXES)
