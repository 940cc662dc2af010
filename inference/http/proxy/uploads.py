"""Pictures that are uploaded first, and named by path in the calls that come later."""

from inference.http.admit import admit
from inference.http.proxy.gated_request import GatedRequest
from inference.http.proxy.records import mark
from inference.proxying import Proxy
from inference.refusals import ADDRESS_INSTEAD, Refused
from inference.results.outcomes import Accepted
from inference.upload import Arrival
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.documents import find_list, read_document
from inference.upstream.relay.sinks import HeldAnswer
from inference.upstream.requests.sent_request import SentRequest

# A list of paths, or the id of an event.
MAX_SHORT_ANSWER_BYTES = 1 << 18
_FIRST_ODD_STATUS = 300


def find_named(proxy: Proxy, arrival: Arrival, sent: SentRequest) -> dict[str, Accepted]:
    """The pictures that a request names by their paths.

    Raises:
        Refused: a file was not uploaded through this proxy, or is forgotten; or its client may
            not send it.
    """
    named = {}
    for path in dict.fromkeys(each.path for each in sent.paths):
        accepted = proxy.uploads.find(path)
        if accepted is None:
            raise Refused(ADDRESS_INSTEAD)
        admit(proxy.service, arrival, accepted.upload)
        named[path] = accepted
    return named


async def pass_upload(gated: GatedRequest) -> None:
    """Pass pictures on, and remember which path each was given before the client knows it."""
    proxy, request, body, waiting = gated.proxy, gated.request, gated.body, gated.waiting
    held = await proxy.relay.hold(request.scope, request.receive, MAX_SHORT_ANSWER_BYTES, body=body)
    paths = _read_paths(held, len(waiting))
    given_up = [] if paths else [each.accepted for each in waiting]
    for path, each in zip(paths, waiting, strict=False):
        given_up += proxy.uploads.add(path, each.accepted, each.size_bytes)
    await held.release(gated.send, mark(waiting))
    if given_up:
        await proxy.service.record_threads.run(proxy.record_alone, given_up, held.status)


def _read_paths(held: HeldAnswer, count: int) -> list[str]:
    """The path of each file; none if the answer does not say so."""
    try:
        paths = find_list(read_document(held.body), "")
    except AnswerUnreadable:
        return []
    texts = [path for path in paths if isinstance(path, str)]
    return texts if held.status < _FIRST_ODD_STATUS and len(texts) == len(paths) == count else []
