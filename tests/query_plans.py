"""Plans of queries on tables of a few rows, as they would be on large ones."""

from sqlalchemy import text

from store.engine.database import Database


def price_whole_tables(database: Database) -> None:
    """Let PostgreSQL read a table whole only where no index serves: small ones it always would."""
    if database.dialect != "postgresql":
        return
    with database.write() as session:
        session.execute(
            text(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_seqscan = off', "
                "current_database()); END $$"
            )
        )
    database.close()
