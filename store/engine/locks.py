"""Turns: transactions that read, decide and write as one take the same turn one after another."""

from zlib import crc32

from sqlalchemy import text
from sqlalchemy.orm import Session


def take_turn(session: Session, name: str) -> None:
    """Wait until no other transaction holds the turn; it ends with this write transaction.

    SQLite has one writer anyway. PostgreSQL would let two processes read the same "before".
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": crc32(name.encode())})
