"""Answers of a few words, which say under what name a picture or a call is known from now on."""

from starlette.requests import Request

from inference.bodies.json_document import read_small_document
from inference.proxying import Proxy
from inference.refusals import Refused
from inference.upstream.relay.forwarding import SentBody
from inference.upstream.relay.sinks import HeldAnswer

# A list of paths, or the id of an event.
_MAX_BYTES = 1 << 18


async def hold_short_answer(
    proxy: Proxy, request: Request, body: SentBody
) -> tuple[HeldAnswer, object]:
    """Pass a request on and keep its answer, with the document in it; ``None`` if that is none.

    It is read beside the event loop, and refused by its marks before it could take long: whoever
    writes it may be under somebody else's control.

    Raises:
        UpstreamFault: there is no answer, or it is longer than such answers are.
    """
    held = await proxy.relay.hold(request.scope, request.receive, _MAX_BYTES, body=body)
    return held, await proxy.service.form_threads.run(_read, held)


def _read(held: HeldAnswer) -> object:
    try:
        return read_small_document(held.body)
    except Refused:
        return None
