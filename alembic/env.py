"""Run migrations on the connection that Maskwatch hands over, or on the configured database."""

from alembic import context
from sqlalchemy import Connection

from store.engine.database import Database
from store.settings import StoreSettings, load_settings
from store.tables.all_tables import METADATA, make_object_filter


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        compare_type=True,
        include_object=make_object_filter(connection.dialect.name),
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    with Database.open(load_settings(StoreSettings)).write() as session:
        migrate(session.connection())
