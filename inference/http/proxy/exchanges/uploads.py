"""Pictures that are uploaded first, and named by path in the calls that come later."""

from inference.http.admit import admit
from inference.http.proxy.gated_request import GatedRequest
from inference.http.proxy.records import mark
from inference.http.proxy.short_answers import hold_short_answer
from inference.proxying import Proxy
from inference.refusals import ADDRESS_INSTEAD, Refused
from inference.results.outcomes import Accepted
from inference.upload import Arrival
from inference.upstream.requests.sent_request import SentRequest

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
    held, answer = await hold_short_answer(proxy, request, body)
    paths = _find_paths(answer, len(waiting)) if held.status < _FIRST_ODD_STATUS else []
    given_up = [] if paths else [each.accepted for each in waiting]
    for path, each in zip(paths, waiting, strict=False):
        given_up += proxy.uploads.add(path, each.accepted, each.size_bytes)
    await held.release(gated.send, mark(waiting))
    if given_up:
        await proxy.service.record_threads.run(proxy.record_alone, given_up, held.status)


def _find_paths(answer: object, count: int) -> list[str]:
    """The path of each file; none if the answer does not say so."""
    paths = answer if isinstance(answer, list) else []
    texts = [path for path in paths if isinstance(path, str)]
    return texts if len(texts) == len(paths) == count else []
