"""API keys: made once, shown once, stored as a hash, revoked for good."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.audit.actors import command_line
from store.audit.audit_log import Action, Entry, append
from store.engine.change_marks import Mark, move_mark
from store.people.key_scopes import DEFAULT_SCOPES, KeyScope
from store.tables.work_tables import ApiKeyRow

CLIENT_PREFIX = "key:"
"""What the name of a client with a key begins with."""

_SECRET_PREFIX = "mwk_"  # noqa: S105 - lets scanners find a leaked key, and is no secret itself
_SECRET_BYTES = 32
# A key that somebody pastes where a name belongs must not be stored as one.
_NAME = re.compile(rf"(?!{_SECRET_PREFIX})[A-Za-z0-9._-]{{1,60}}")


class ApiKeyError(MaskwatchError):
    """An API key that cannot be made or revoked."""


class BadKeyName(ApiKeyError):
    """A name that a key cannot have."""


class KeyNameTaken(ApiKeyError):
    """Another key has the name, or had it before it was revoked."""


class KeyNotActive(ApiKeyError):
    """There is no such key, or it is revoked already."""


@dataclass(frozen=True)
class ApiKey:
    """What may be shown of a key."""

    name: str
    scopes: tuple[KeyScope, ...]
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str | None


def is_key(text: str) -> bool:
    """Whether a text looks like one of our keys, so that it is not meant for somebody else."""
    return text.startswith(_SECRET_PREFIX)


def is_key_name(name: str) -> bool:
    """Whether a key can have this name: 1 to 60 ASCII letters, digits and ``-_.``; never a key."""
    return _NAME.fullmatch(name) is not None


def key_digest(secret: str) -> str:
    """What is stored of a key: its SHA-256 in hex.

    A slow, salted hash protects secrets that people choose. A key is 256 random bits: nobody can
    search for it, and a fast hash keeps a flood of wrong keys cheap to refuse.
    """
    return sha256(secret.encode()).hexdigest()


def add_key(
    session: Session,
    name: str,
    who: str,
    now: datetime,
    scopes: Collection[KeyScope] = DEFAULT_SCOPES,
) -> str:
    """Make a key and return its secret, which cannot be had again.

    A name is never used twice: records, decisions and mails name clients by it.

    Args:
        who: account that runs the command.
        scopes: what the key is good for, at least one thing.

    Raises:
        BadKeyName: the name is not usable.
        KeyNameTaken: a key has or had this name.
    """
    if not is_key_name(name):
        raise BadKeyName(
            "A key's name has 1 to 60 letters, digits, hyphens, underscores and dots, without "
            f"spaces, and does not begin with {_SECRET_PREFIX}."
        )
    move_mark(session, Mark.API_KEYS)
    if session.scalar(select(exists().where(ApiKeyRow.name == name))):
        raise KeyNameTaken(
            f"There is a key named {name} already, active or revoked: choose another name."
        )
    secret = _SECRET_PREFIX + token_urlsafe(_SECRET_BYTES)
    names = sorted(scope.value for scope in scopes)
    row = ApiKeyRow(
        name=name, key_sha256=key_digest(secret), scopes=names, created_at=now, created_by=who
    )
    session.add(row)
    session.flush()
    entry = Entry(command_line(who), Action.KEY_MADE, f"key {name}", {"scopes": names})
    append(session, entry, now)
    return secret


def revoke_key(session: Session, name: str, who: str, now: datetime) -> None:
    """End a key for good.

    Args:
        who: account that runs the command.

    Raises:
        KeyNotActive: no key has this name, or it is revoked already.
    """
    move_mark(session, Mark.API_KEYS)
    rows = session.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.name == name, ApiKeyRow.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=who)
        .returning(ApiKeyRow.id)
    ).all()
    if rows:
        append(session, Entry(command_line(who), Action.KEY_REVOKED, f"key {name}"), now)
        return
    if session.scalar(select(exists().where(ApiKeyRow.name == name))):
        raise KeyNotActive(f"The key {name} is revoked already.")
    raise KeyNotActive(f"There is no key named {name}: `maskwatch keys list` shows all of them.")


def list_keys(session: Session) -> tuple[ApiKey, ...]:
    """Every key there ever was, by name."""
    rows = session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.name))
    return tuple(
        ApiKey(
            row.name,
            tuple(map(KeyScope, row.scopes or ())),
            row.created_at,
            row.created_by,
            row.revoked_at,
            row.revoked_by,
        )
        for row in rows
    )
