"""Databases of tests are ready sooner: each worker runs the migrations once, compiles SQL once.

The migrations of a new SQLite file take a third of a second, the same tables from a script a
hundredth; a new engine compiles each statement anew.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, inspect
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import LRUCache

from store.engine import postgresql_engine, sqlite_engine
from store.engine.schema import versions
from store.engine.schema.alembic_config import alembic_config

_MAX_STATEMENTS = 4_000


class QuickCommand:
    """Alembic's commands; the tables of an empty SQLite file come from a script."""

    downgrade = staticmethod(command.downgrade)

    @staticmethod
    def upgrade(config: Config, revision: str) -> None:
        connection: Connection = config.attributes["connection"]
        if revision == "head" and _is_empty_file(connection):
            file: Any = connection.connection.driver_connection
            for statement in _script():
                file.execute(statement)
        else:
            command.upgrade(config, revision)


class SharedStatements(LRUCache[Any, Any]):
    """Statements by the kind of their database; SQLAlchemy keeps them by its engine."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_by_kind(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_by_kind(key), value)


_STATEMENTS = SharedStatements(_MAX_STATEMENTS)


@contextmanager
def hasten_databases() -> Iterator[None]:
    """Databases that this process makes are ready sooner, as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "command", QuickCommand)
        for module in (sqlite_engine, postgresql_engine):
            patch.setattr(module, "create_engine", _create_engine)
        yield


def _create_engine(*words: Any, **options: Any) -> Engine:
    return create_engine(*words, **options, execution_options={"compiled_cache": _STATEMENTS})


def _by_kind(key: Any) -> tuple[Any, ...]:
    dialect, *statement = key
    return dialect.name, *statement


def _is_empty_file(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()


@cache
def _script() -> tuple[str, ...]:
    """What the migrations leave, without the transaction around it."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with closing(engine.raw_connection()) as raw, engine.begin() as connection:
        command.upgrade(alembic_config(versions.migrations_folder(), connection), "head")
        database: Any = raw.driver_connection
        return tuple(database.iterdump())[1:-1]
