"""Takes a request with pictures through the gate, and passes it on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
from starlette.responses import Response

from inference.admission.byte_budget import Share
from inference.http.admit import admit, check_rate, check_site
from inference.http.body import check_packing, collect_body
from inference.http.problems import refusal_problem
from inference.http.proxy.exchanges.calls import pass_call
from inference.http.proxy.exchanges.uploads import find_named, pass_upload
from inference.http.proxy.gated_request import GatedRequest, PictureRequest
from inference.http.proxy.picture_answers import hold_answer, pass_answer
from inference.http.proxy.records import ID_HEADER, draw_arrivals
from inference.proxying import NOT_PASSED_ON, Proxy
from inference.refusals import SEVERAL_PICTURES, Refusal, Refused
from inference.results.outcomes import Accepted
from inference.results.waiting import Waiting
from inference.upload import Arrival
from inference.upstream.answers.answer import Part
from inference.upstream.answers.read_answer import holds_several
from inference.upstream.attach_settings import SentPictures
from inference.upstream.frames import Frame, frame_encoded, frame_sent
from inference.upstream.looks.repeatable import find_repeatable
from inference.upstream.presets.preset import Door
from inference.upstream.relay.faults import UpstreamFault
from inference.upstream.relay.forwarding import SentBody
from inference.upstream.requests.read import count_body_bytes, read_request
from inference.upstream.requests.sent_request import SentRequest
from store.requests.client_names import network_of


async def pass_pictures(asked: PictureRequest) -> Response | None:
    """Gate the pictures of a request, pass them on, and check what comes back.

    Returns:
        the answer that is ours to give; ``None`` if the client has the upstream's.

    Raises:
        Refused: before or beside the gate.
        UpstreamFault: the upstream gave no answer.
        NotRecorded: a record could not be kept.
        ClientDisconnect: the client is gone.
    """
    proxy, service = asked.proxy, asked.proxy.service
    check_site(service, asked.request)
    check_rate(service, asked.arrival)
    with proxy.memory.reserve(network_of(asked.arrival.client)) as share:
        gated = await _gate(asked, share)
        if isinstance(gated, Response):
            return gated
        try:
            return await _pass_on(asked.door, gated)
        except UpstreamFault as fault:
            await _record_unanswered(gated, fault.kind.status)
            raise


@dataclass(frozen=True, eq=False)
class _Pictures:
    """The pictures of a request after the gate.

    Attributes:
        sent: the request that they came in.
        outcomes: what the gate says of those in its body.
        named: those that were uploaded before, by their paths.
        arrivals: one for each, in this order.
    """

    sent: SentRequest
    outcomes: Sequence[Accepted | Refusal]
    named: Mapping[str, Accepted]
    arrivals: Sequence[Arrival]

    @property
    def uploaded(self) -> list[Accepted]:
        """Those in the body that the gate accepts."""
        return [each for each in self.outcomes if isinstance(each, Accepted)]

    @property
    def is_refused(self) -> bool:
        """Whether the gate refuses one of them."""
        return len(self.uploaded) < len(self.outcomes)

    def list_accepted(self) -> list[Accepted]:
        """All of them, as pictures of this request."""
        own = self.arrivals[len(self.outcomes) :]
        pairs = zip(self.named.values(), own, strict=False)
        return [*self.uploaded, *(replace(each, arrival=arrival) for each, arrival in pairs)]


async def _gate(asked: PictureRequest, share: Share) -> Response | GatedRequest:
    """What goes on, with its pictures, which nobody else holds; or a refusal."""
    proxy, service = asked.proxy, asked.proxy.service
    with service.body_memory.reserve() as bodies:
        pictures = await _take_in(asked, bodies, share)
        if pictures.is_refused:
            return await _refuse(proxy, pictures)
        sent = pictures.sent
        body = await service.form_threads.run(_rebuild, proxy, sent, pictures.uploaded)
        # From here on they count for their client, until its answer is passed on.
        share.take(len(body.data) + sum(len(each.data) for each in sent.uploads))
    for path in pictures.named:
        proxy.uploads.note_call(path)
    waiting = _list_waiting(asked, pictures)
    return GatedRequest(proxy, asked.request, body, waiting, asked.send, share)


async def _take_in(asked: PictureRequest, bodies: Share, share: Share) -> _Pictures:
    """Read a request and take its pictures through the gate; refusals are recorded then."""
    proxy, arrival, courtesy = asked.proxy, asked.arrival, asked.proxy.reader.courtesy
    courtesy.note()
    async with proxy.service.slots.enter(arrival.client):
        sent = await _receive(asked, bodies.take)
        named = find_named(proxy, arrival, sent)
        arrivals = draw_arrivals(arrival, len(sent.uploads) + len(named))
        _check_count(proxy, asked.door, sent, len(arrivals))
        courtesy.note()
        outcomes = await _screen(proxy, arrivals, sent, share)
    courtesy.note()
    return _Pictures(sent, outcomes, named, arrivals)


async def _receive(asked: PictureRequest, take: Callable[[int], None]) -> SentRequest:
    proxy, request = asked.proxy, asked.request
    check_packing(request)
    headers = request.scope["headers"]
    limit = count_body_bytes(asked.door, headers, proxy.limits)
    seconds = proxy.settings.connections.body_seconds
    chunks = await collect_body(request, limit, seconds, take)

    def read() -> SentRequest:
        body = b"".join(chunks)
        chunks.clear()
        return read_request(asked.door, headers, body, proxy.limits)

    sent = await proxy.service.form_threads.run(read)
    for upload in sent.uploads:
        admit(proxy.service, asked.arrival, upload)
    return sent


def _check_count(proxy: Proxy, door: Door, sent: SentRequest, pictures: int) -> None:
    """Refuse what nobody could check before it goes out."""
    if pictures <= 1 or door.answer is None or not proxy.refuses_unread:
        return
    if not (sent.is_in_order and holds_several(door.answer)):
        raise Refused(SEVERAL_PICTURES)


async def _screen(
    proxy: Proxy, arrivals: Sequence[Arrival], sent: SentRequest, share: Share
) -> list[Accepted | Refusal]:
    """What the gate says of each picture; refusals are recorded then."""
    slots, outcomes = proxy.service.slots, []
    for arrival, upload in zip(arrivals, sent.uploads, strict=False):
        outcomes.append(await slots.work(arrival.client, proxy.screen, arrival, upload, share))
    return outcomes


async def _refuse(proxy: Proxy, pictures: _Pictures) -> Response:
    """Refuse a request for one of its pictures; the others are recorded too."""
    pairs = list(zip(pictures.arrivals, pictures.outcomes, strict=False))
    own, refusal = next((a, each) for a, each in pairs if isinstance(each, Refusal))
    for each in pictures.uploaded:
        await proxy.service.record_threads.run(
            proxy.record_unmeasured, each, refusal.status, NOT_PASSED_ON
        )
    response = refusal_problem(refusal, own.request_id)
    response.headers[ID_HEADER.decode()] = ", ".join(each.request_id for each, _ in pairs)
    return response


def _list_waiting(asked: PictureRequest, pictures: _Pictures) -> list[Waiting]:
    """How the answer will be read for each picture."""
    sent, accepted = pictures.sent, pictures.list_accepted()
    count = len(accepted)
    parts = (Part(place, count, sent.is_in_order) for place in range(count))
    return [_wait(asked, sent, *pair) for pair in zip(accepted, parts, strict=True)]


async def _record_unanswered(gated: GatedRequest, status: int) -> None:
    """Record pictures that the upstream gave no answer to."""
    proxy = gated.proxy
    proxy.looks.note_failure()
    for each in gated.waiting:
        await proxy.service.record_threads.run(proxy.record_unanswered, each.accepted, status)


def _rebuild(proxy: Proxy, sent: SentRequest, accepted: Sequence[Accepted]) -> SentBody:
    files = None
    if proxy.settings.attach.sent_pictures is SentPictures.ENCODED:
        files = [_encode(each) for each in accepted]
    gated = sent.rebuild(files)
    return SentBody(gated.data, gated.content_type, gated.headers)


def _encode(accepted: Accepted) -> bytes:
    image = cv2.cvtColor(accepted.screening.image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return data.tobytes()


def _wait(asked: PictureRequest, sent: SentRequest, accepted: Accepted, part: Part) -> Waiting:
    """How the answer to a picture will be read, with what further looks need, if any are taken."""
    proxy, door = asked.proxy, asked.door
    waiting = Waiting(accepted, _frame(proxy, accepted), door.answer, part=part)
    asking = proxy.settings.asking
    if not asking.upstream_looks or waiting.form is None or part.count > 1:
        return waiting
    has_credentials = asking.upstream_look_credentials
    repeatable = find_repeatable(
        door, asked.request.scope, sent, waiting.frame, has_credentials=has_credentials
    )
    return replace(waiting, repeatable=repeatable)


def _frame(proxy: Proxy, accepted: Accepted) -> Frame:
    decoded = accepted.screening.decoded
    if proxy.settings.attach.sent_pictures is SentPictures.ENCODED:
        return frame_encoded(decoded)
    return frame_sent(decoded, applies_exif=proxy.preset.applies_exif)


async def _pass_on(door: Door, gated: GatedRequest) -> Response | None:
    if door.part == "upload":
        await pass_upload(gated)
    elif door.part == "call":
        await pass_call(gated)
    elif gated.proxy.is_enforcing:
        return await hold_answer(gated)
    else:
        await pass_answer(gated)
    return None
