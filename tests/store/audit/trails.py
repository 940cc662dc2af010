"""The audit table as a test reads it."""

from datetime import datetime, timedelta

from store.audit.actors import analyst
from store.audit.audit_log import Action, Entry, append
from store.audit.hash_chain import ChainCheck
from store.engine.database import Database
from store.pages.audit_views import AuditFilter, AuditView, audit_entries, verify


def read_entries(database: Database, **wanted: object) -> list[AuditView]:
    return list(audit_entries(database, AuditFilter(**wanted)))  # type: ignore[arg-type]


def list_told(database: Database) -> list[tuple[str, str, str]]:
    return [(each.actor, each.action, each.subject) for each in read_entries(database)]


def fill(database: Database, rows: int, now: datetime) -> None:
    for number in range(1, rows + 1):
        entry = Entry(analyst("ada"), Action.KEY_MADE, f"key {number}", {"number": number})
        with database.write() as session:
            append(session, entry, now + timedelta(seconds=number))


def list_faults(database: Database) -> list[str]:
    return [fault.sentence for fault in verify(database, ChainCheck())]
