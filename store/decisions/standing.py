"""What else is decided about a value: whoever makes or ends a decision wants to know."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import ip_network

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from store.decisions.decisions import is_active, lies_in
from store.decisions.scopes import Kind, Scope
from store.decisions.similar_pictures import SimilarPicture
from store.people.api_keys import CLIENT_PREFIX
from store.phrases import phrase_count
from store.tables.work_tables import ApiKeyRow, DecisionRow

_MAX_NAMED = 5
_OF_ADDRESSES = (Scope.CLIENT.value, Scope.NETWORK.value)


def describe_new(session: Session, row: DecisionRow, now: datetime) -> str:
    """Whether nobody is meant by a new decision, what it ended, or what keeps it from refusing
    anybody; empty if nothing of these."""
    return f"{_describe_key(session, row)} {_describe_effect(session, row, now)}".strip()


def _describe_key(session: Session, row: DecisionRow) -> str:
    if row.scope != Scope.API_KEY.value:
        return ""
    name = row.value.removeprefix(CLIENT_PREFIX)
    if session.scalar(select(exists().where(ApiKeyRow.name == name))):
        return ""
    return f"No key has the name of {row.value} so far: it holds for one that is made later."


def _describe_effect(session: Session, row: DecisionRow, now: datetime) -> str:
    if row.simulated:
        return ""
    if row.kind == Kind.ALLOW.value:
        with_it = select(DecisionRow.id).where(DecisionRow.version == row.version)
        ended = with_it.where(DecisionRow.revoked_at == now).order_by(DecisionRow.id)
        return _phrase("It ended the block of {}.", session.scalars(ended))
    allows = _list_covering(session, row, Kind.ALLOW, now)
    return _phrase("It refuses nobody while the allow of {} holds.", allows)


def describe_rest(session: Session, row: DecisionRow, now: datetime) -> str:
    """What holds for the value of a decision that was ended; empty if nothing of its kind does."""
    rest = _list_covering(session, row, Kind(row.kind), now)
    return _phrase(f"The {row.kind} of {{}} still holds for it.", rest)


def _list_covering(session: Session, row: DecisionRow, kind: Kind, now: datetime) -> Sequence[int]:
    """Keys of the enforced decisions of a kind, but for one, that hold for all of its value."""
    statement = select(DecisionRow).where(
        DecisionRow.kind == kind.value,
        DecisionRow.id != row.id,
        DecisionRow.simulated.is_(False),
        is_active(now),
    )
    of_scope = statement.where(DecisionRow.scope == row.scope)
    if row.scope == Scope.SIMILAR.value:
        picture = SimilarPicture.read(row.value)
        rows = session.scalars(of_scope)
        return [each.id for each in rows if SimilarPicture.read(each.value).covers(picture)]
    same = [each.id for each in session.scalars(of_scope.where(DecisionRow.value == row.value))]
    if row.scope not in _OF_ADDRESSES:
        return same
    networks = session.scalars(statement.where(DecisionRow.scope == Scope.NETWORK.value))
    around = [each.id for each in networks if lies_in(row.value, ip_network(each.value))]
    return sorted({*same, *around})


def _phrase(sentence: str, keys: Iterable[int]) -> str:
    """A sentence with the decisions that it is about; empty if there are none."""
    ids = list(keys)
    if not ids:
        return ""
    noun = "decision" if len(ids) == 1 else "decisions"
    named = f"{noun} {', '.join(map(str, ids[:_MAX_NAMED]))}"
    more = len(ids) - _MAX_NAMED
    return sentence.format(f"{named} and {phrase_count(more, 'other')}" if more > 0 else named)
