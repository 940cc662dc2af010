"""Calls that are answered by the id of an event, in which their result comes later."""

from collections.abc import Mapping
from time import perf_counter

from inference.bodies.json_document import read_small_document
from inference.http.proxy.gated_request import GatedRequest
from inference.http.proxy.records import mark
from inference.http.proxy.short_answers import hold_short_answer
from inference.refusals import Refused
from inference.results.waiting import Call

_SESSION = "session_hash"


async def pass_call(gated: GatedRequest) -> None:
    """Pass a call on, and remember its event before the client knows it."""
    began_at = perf_counter()
    proxy, request, body, waiting = gated.proxy, gated.request, gated.body, gated.waiting
    has_session = await proxy.service.form_threads.run(_names_session, body.data)
    held, answer = await hold_short_answer(proxy, request, body)
    event_id = _find_event_id(answer)
    call = Call(tuple(waiting), has_session, began_at)
    given_up = [call]
    if event_id is not None:
        given_up = proxy.calls.tie(event_id, call, call.size_bytes)
    await held.release(gated.send, mark(waiting))
    await proxy.service.record_threads.run(proxy.record_unread, given_up, held.status)


def _names_session(body: bytes) -> bool:
    """Whether a body says in which session its events come; one that cannot be read may do so."""
    try:
        document = read_small_document(body)
    except Refused:
        return True
    return isinstance(document, Mapping) and document.get(_SESSION) is not None


def _find_event_id(answer: object) -> str | None:
    event_id = answer.get("event_id") if isinstance(answer, Mapping) else None
    return event_id if isinstance(event_id, str) else None
