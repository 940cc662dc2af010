"""Calls that are answered by the id of an event, in which their result comes later."""

import json
from collections.abc import Mapping
from time import perf_counter

from inference.http.proxy.gated_request import GatedRequest
from inference.http.proxy.records import judge_beside, mark
from inference.http.proxy.uploads import MAX_SHORT_ANSWER_BYTES
from inference.results.waiting import Call
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.answers.texts.documents import read_document
from inference.upstream.relay.sinks import HeldAnswer

_SESSION = "session_hash"


async def pass_call(gated: GatedRequest) -> None:
    """Pass a call on, and remember its event before the client knows it.

    The result of a call with several pictures is that of none of them: they are recorded now.
    """
    began_at = perf_counter()
    proxy, request, body, waiting = gated.proxy, gated.request, gated.body, gated.waiting
    has_session = await proxy.service.form_threads.run(_names_session, body.data)
    held = await proxy.relay.hold(request.scope, request.receive, MAX_SHORT_ANSWER_BYTES, body=body)
    event_id = _read_event_id(held)
    alone = waiting[0] if len(waiting) == 1 else None
    call = Call(alone, has_session, began_at)
    given_up = [call]
    if event_id is not None:
        given_up = proxy.calls.tie(event_id, call, call.size_bytes)
    await held.release(gated.send, mark(waiting))
    await proxy.service.record_threads.run(proxy.record_unread, given_up, held.status)
    for each in waiting if alone is None else ():
        await judge_beside(proxy, each, held.exchange, AnswerTap(0))


def _names_session(body: bytes) -> bool:
    document = json.loads(body)
    return isinstance(document, Mapping) and document.get(_SESSION) is not None


def _read_event_id(held: HeldAnswer) -> str | None:
    try:
        answer = read_document(held.body)
    except AnswerUnreadable:
        return None
    event_id = answer.get("event_id") if isinstance(answer, Mapping) else None
    return event_id if isinstance(event_id, str) else None
