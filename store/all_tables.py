"""Every table, for whoever needs all of them at once."""

from store import audit_tables, request_tables, roll_up_tables, tables
from store.base import Base

# Each module adds its tables when it is imported.
_TABLES = (audit_tables, request_tables, roll_up_tables, tables)
METADATA = Base.metadata
