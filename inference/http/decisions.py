"""``GET /v1/decisions`` and ``/v1/decisions/stream``: bans, as bouncers of CrowdSec read them.

Who reads presents a key of the scope ``decisions``, one for each bouncer: a stream goes on where
the key read last.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inference.http.problems import problem, refusal_problem
from inference.http.sender import identify_sender, read_keys
from inference.service import Service
from store.configuration.network_groups import Network, as_ipv4
from store.decisions.bans import Ban, describe_ban, list_bans, read_delta, version_at
from store.decisions.networks import lies_within
from store.engine.change_marks import Mark, read_marks
from store.engine.database import StoreUnavailable
from store.people.key_scopes import KeyScope
from store.requests.request_ids import new_request_id

_NO_STORE = {"Cache-Control": "no-store"}
_SCOPES, _TYPES = "ip,range", "ban"
# A version of 64 bits and a second of the calendar at most.
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,12})")
# Nothing was decided before, and little further back no margin of clocks can be taken off any more.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cursor:
    """How far somebody has read: the version of the change mark, and when."""

    version: int
    at: datetime

    def __str__(self) -> str:
        return f"{self.version}-{int(self.at.timestamp())}"


class Pulls:
    """Where each key goes on, as far as this process knows.

    Another process may have told a key more: to be told again is no harm.
    """

    def __init__(self) -> None:
        self._cursors: dict[str, Cursor] = {}

    def last_of(self, client: str) -> Cursor | None:
        """How far a key has read here; ``None`` if it has read nothing yet."""
        return self._cursors.get(client)

    def move(self, client: str, cursor: Cursor) -> None:
        """Remember how far a key has read."""
        self._cursors[client] = cursor


class BadQuery(ValueError):
    """A parameter that cannot be read; the text says which."""


async def list_decisions(request: Request) -> Response:
    """Bans that hold, or those that hold for an address; ``null`` if there are none."""
    return await _answer(request, _list)


async def stream_decisions(request: Request) -> Response:
    """Bans that came and went since a key last asked; all of them at its start."""
    return await _answer(request, _stream)


Read = Callable[[Request, Service, str, datetime], object]


async def _answer(request: Request, read: Read) -> Response:
    service: Service = request.app.state.service
    now = datetime.now(UTC)
    request_id = new_request_id(now)
    sender = identify_sender(
        request, service, read_keys(request), KeyScope.DECISIONS, is_required=True
    )
    if sender.refusal is not None:
        return refusal_problem(sender.refusal, request_id)
    if request.method == "HEAD":
        return Response(headers=_NO_STORE)
    try:
        answer = await service.status_threads.run(read, request, service, sender.client, now)
    except BadQuery as error:
        return problem("bad_query", 400, str(error), request_id)
    except StoreUnavailable:
        sentence = "The decisions cannot be read now: ask again in a moment."
        return problem("unavailable", 503, sentence, request_id, {"Retry-After": "5"})
    return JSONResponse(answer, headers=_NO_STORE)


def _list(request: Request, service: Service, _client: str, now: datetime) -> object:
    chosen = _filter_of(request.query_params)
    with service.database.read() as session:
        bans = list_bans(session, now, chosen)
    return _describe(bans, now) or None


def _stream(request: Request, service: Service, client: str, now: datetime) -> object:
    """The cursor is taken before what it stands for: what comes meanwhile is told again."""
    pulls: Pulls = request.app.state.pulls
    query, chosen = request.query_params, _filter_of(request.query_params)
    with service.database.read() as session:
        cursor = Cursor(read_marks(session)[Mark.DECISIONS], now)
        since = pulls.last_of(client)
        if (text := query.get("since")) is not None:
            since = _read_since(text, lambda then: version_at(session, then))
        # A database that was restored does not know what a later cursor was told.
        is_ahead = since is not None and since.version > cursor.version
        if query.get("startup", "").lower() == "true" or since is None or is_ahead:
            new, deleted = tuple(list_bans(session, now, chosen)), tuple[Ban, ...]()
        else:
            delta = read_delta(session, since.version, since.at, now, chosen)
            new, deleted = delta.new, delta.deleted
    pulls.move(client, cursor)
    return {
        "new": _describe(new, now),
        "deleted": _describe(deleted, now),
        "cursor": str(cursor),
    }


def _read_since(text: str, version_of: Callable[[datetime], int]) -> Cursor:
    """A cursor of an answer before, or a time in ISO 8601."""
    try:
        if cursor := _CURSOR.fullmatch(text):
            return Cursor(int(cursor[1]), datetime.fromtimestamp(int(cursor[2]), UTC))
        # A plus sign that nobody encoded arrives as a space.
        then = datetime.fromisoformat(text.replace(" ", "+"))
        then = then.astimezone(UTC) if then.tzinfo else then.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadQuery(
            "The parameter since is the cursor of an answer before, or a time such as "
            "2026-03-01T08:30:00Z."
        ) from None
    then = max(then, _EPOCH)
    return Cursor(version_of(then), then)


def _filter_of(query: QueryParams) -> Callable[[Ban], bool]:
    """Which bans are asked for; what bouncers may ask and nothing here has matches nothing."""
    scopes = set(query.get("scopes", query.get("scope", _SCOPES)).lower().split(","))
    if query.get("type", _TYPES).lower() != _TYPES:
        return lambda _ban: False
    inside = [_read_network(query[name], name) for name in ("ip", "range") if name in query]
    value = query.get("value")
    if value is not None:
        inside.append(_read_network(value, "value"))

    is_asked_for = _origin_filter(query)

    def is_chosen(ban: Ban) -> bool:
        is_one = ban.network.prefixlen == ban.network.max_prefixlen
        is_in_scope = ("ip" if is_one else "range") in scopes
        return (
            is_in_scope
            and is_asked_for(ban)
            and all(lies_within(asked, ban.network) for asked in inside)
        )

    return is_chosen


def _origin_filter(query: QueryParams) -> Callable[[Ban], bool]:
    """By who made a ban and why, as bouncers are set to heed some of them alone."""
    origins = _read_words(query, "origins")
    wanted, unwanted = (
        _read_words(query, name) for name in ("scenarios_containing", "scenarios_not_containing")
    )

    def is_asked_for(ban: Ban) -> bool:
        scenario = ban.scenario.lower()
        return (
            (not origins or ban.origin.lower() in origins)
            and (not wanted or any(word in scenario for word in wanted))
            and not any(word in scenario for word in unwanted)
        )

    return is_asked_for


def _read_words(query: QueryParams, name: str) -> tuple[str, ...]:
    words = (word.strip() for word in query.get(name, "").lower().split(","))
    return tuple(word for word in words if word)


def _read_network(text: str, name: str) -> Network:
    try:
        return as_ipv4(ip_network(text, strict=False))
    except ValueError:
        raise BadQuery(f"The parameter {name} is no address or network.") from None


def _describe(bans: Iterable[Ban], now: datetime) -> Sequence[Mapping[str, object]]:
    return [describe_ban(ban, now) for ban in bans]
