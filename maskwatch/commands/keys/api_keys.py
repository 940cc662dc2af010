"""``maskwatch keys``: make, list and revoke API keys from a shell on the server."""

import json
from collections.abc import Collection
from contextlib import closing
from dataclasses import asdict
from datetime import datetime

from store.audit.actors import operator
from store.engine.database import Database
from store.engine.existing import existing_database
from store.engine.schema.versions import ensure_current
from store.people.api_keys import ApiKey, add_key, list_keys, revoke_key
from store.people.key_scopes import KeyScope
from store.settings import StoreSettings


def make_key(
    settings: StoreSettings, name: str, scopes: Collection[KeyScope], now: datetime
) -> str:
    """Make a key; its secret is nowhere else.

    Raises:
        MaskwatchError: the name cannot be used, or the database cannot.
    """
    with closing(Database.open(settings)) as database:
        ensure_current(database)
        with database.write() as session:
            return add_key(session, name, operator(), now, frozenset(scopes))


def end_key(settings: StoreSettings, name: str, now: datetime) -> None:
    """End a key for good.

    Raises:
        MaskwatchError: there is no such active key, or the database cannot be used.
    """
    with existing_database(settings) as database, database.write() as session:
        revoke_key(session, name, operator(), now)


def read_keys(settings: StoreSettings) -> tuple[ApiKey, ...]:
    """Every key there ever was, by name.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        return list_keys(session)


def to_json(key: ApiKey) -> str:
    """One JSON object; times in ISO 8601, UTC."""
    return json.dumps(asdict(key), default=datetime.isoformat)


def to_text(key: ApiKey) -> str:
    """One line for people."""
    scopes = ", ".join(key.scopes)
    origin = f"for {scopes}, made {key.created_at:%Y-%m-%d %H:%M} UTC by {key.created_by}"
    if key.revoked_at is None:
        return f"{key.name:<20} active   {origin}"
    return (
        f"{key.name:<20} revoked  {key.revoked_at:%Y-%m-%d %H:%M} UTC by {key.revoked_by}, {origin}"
    )
