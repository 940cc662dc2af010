"""Every table, for whoever needs all of them at once."""

from collections.abc import Callable

from sqlalchemy.schema import SchemaItem

from store.tables import (
    audit_tables,
    baseline_tables,
    family_tables,
    model_tables,
    request_tables,
    roll_up_tables,
)
from store.tables import work_tables as tables
from store.tables.base import Base

# Each module adds its tables when it is imported.
_TABLES = (
    audit_tables,
    baseline_tables,
    family_tables,
    model_tables,
    request_tables,
    roll_up_tables,
    tables,
)
METADATA = Base.metadata


def make_object_filter(
    dialect: str,
) -> Callable[[SchemaItem, str | None, str, bool, SchemaItem | None], bool]:
    """What Alembic compares on a database: an index that is made for another one is left out."""

    def is_of_dialect(
        item: SchemaItem, _name: str | None, _kind: str, _read: bool, _other: SchemaItem | None
    ) -> bool:
        return bool(item.info.get("dialect", dialect) == dialect)

    return is_of_dialect
