"""Dashboard sign-in: a one-time token is exchanged once for a browser session."""

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from store.audit.actors import analyst, command_line, operator
from store.audit.audit_log import Action, Entry, append
from store.tables.work_tables import LoginTokenRow

_TOKEN, _SESSION = "token", "session"


def issue_token(session: Session, subject: str, now: datetime, valid: timedelta) -> str:
    """A new one-time token; only its hash is stored."""
    details = {"until": (now + valid).isoformat()}
    entry = Entry(command_line(operator()), Action.LINK_MADE, f"sign-in of {subject}", details)
    append(session, entry, now)
    return _issue(session, _TOKEN, subject, now, valid)


def token_is_open(session: Session, token: str, now: datetime) -> bool:
    """Whether a token could be redeemed now."""
    tokens = session.scalars(select(LoginTokenRow.id).where(*_open_token(token, now)))
    return tokens.one_or_none() is not None


def redeem_token(
    session: Session, token: str, now: datetime, session_valid: timedelta
) -> str | None:
    """Exchange a token for a session secret; ``None`` if it is unknown, used or too old."""
    subject = session.execute(
        update(LoginTokenRow)
        .where(*_open_token(token, now))
        .values(used_at=now)
        .returning(LoginTokenRow.subject)
    ).scalar_one_or_none()
    if subject is None:
        return None
    append(session, Entry(analyst(subject), Action.SIGNED_IN, "dashboard"), now)
    return _issue(session, _SESSION, subject, now, session_valid)


def _open_token(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        LoginTokenRow.kind == _TOKEN,
        LoginTokenRow.token_sha256 == _digest(token),
        LoginTokenRow.used_at.is_(None),
        LoginTokenRow.expires_at > now,
    )


def session_subject(session: Session, secret: str, now: datetime) -> str | None:
    """Who a browser session belongs to; ``None`` if it is unknown or over."""
    return session.scalars(
        select(LoginTokenRow.subject).where(*_open_session(secret, now))
    ).one_or_none()


def hold_session(session: Session, secret: str, now: datetime) -> str | None:
    """The same for a transaction that writes: until its end, nobody ends that session."""
    statement = select(LoginTokenRow.subject).where(*_open_session(secret, now))
    return session.scalars(statement.with_for_update(read=True)).one_or_none()


def _open_session(secret: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        LoginTokenRow.kind == _SESSION,
        LoginTokenRow.token_sha256 == _digest(secret),
        LoginTokenRow.expires_at > now,
    )


def end_session(session: Session, secret: str, now: datetime) -> None:
    """Sign a browser out, if it is signed in."""
    subject = session.execute(
        update(LoginTokenRow)
        .where(*_open_session(secret, now))
        .values(expires_at=now)
        .returning(LoginTokenRow.subject)
    ).scalar_one_or_none()
    if subject is not None:
        append(session, Entry(analyst(subject), Action.SIGNED_OUT, "dashboard"), now)


def _issue(session: Session, kind: str, subject: str, now: datetime, valid: timedelta) -> str:
    secret = token_urlsafe(32)
    session.add(
        LoginTokenRow(
            kind=kind,
            token_sha256=_digest(secret),
            subject=subject,
            created_at=now,
            expires_at=now + valid,
        )
    )
    return secret


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
