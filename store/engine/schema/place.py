"""Which schema of a PostgreSQL database holds the tables: Maskwatch has a database to itself."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError

# All are needed to tell Maskwatch from another program that uses Alembic.
_HOMES = text("""
    SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname IN ('alembic_version', 'decisions', 'notifications') AND c.relkind = 'r'
    GROUP BY n.nspname HAVING count(*) = 3 ORDER BY n.nspname
""")


class SchemaError(MaskwatchError):
    """The database's tables are not the ones this version of Maskwatch knows."""


def check_place(session: Session) -> None:
    """See that tables are made where they are read, and that no other Maskwatch is in the way.

    Days of records, locks and backups are the whole database's: a second instance in another schema
    would drop the first one's records.

    Raises:
        SchemaError: what is in the way, and what to do.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    here = session.scalar(text("SELECT current_schema()"))
    if here is None:
        raise SchemaError(
            "The search_path of the database's user, or of MASKWATCH_DATABASE_URL, names no schema "
            "that exists: make the schema, or name another one."
        )
    if session.scalar(text("SELECT quote_ident(:here)"), {"here": here}) != here:
        raise SchemaError(
            f"The search_path leads to the schema {here!r}, whose name needs quotes: give "
            "Maskwatch one whose name has small letters, digits and underscores alone, and is no "
            "word of SQL."
        )
    others = [home for home in session.scalars(_HOMES) if home != here]
    if others:
        raise SchemaError(
            f"This database holds a Maskwatch in its schema {others[0]}, and the search_path leads "
            f"to {here}: give each instance a database of its own, or let the search_path begin "
            f"with {others[0]} if it is this one."
        )
