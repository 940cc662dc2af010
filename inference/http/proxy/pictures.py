"""A request with pictures: gated, passed on, and its answer read."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Send

from inference.admission.byte_budget import Share
from inference.http.admit import admit, check_rate, check_site
from inference.http.body import check_packing, collect_body
from inference.http.problems import refusal_problem
from inference.http.proxy.calls import pass_call
from inference.http.proxy.part_files import fetch_files
from inference.http.proxy.records import ID_HEADER, draw_arrivals, judge_beside, mark
from inference.http.proxy.uploads import find_named, pass_upload
from inference.proxying import NOT_PASSED_ON, Proxy, Waiting
from inference.refusals import SEVERAL_PICTURES, Refusal, Refused
from inference.results.outcomes import Accepted
from inference.upload import Arrival
from inference.upstream.answers.answer import Part
from inference.upstream.answers.read_answer import holds_several
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.attach_settings import SentPictures
from inference.upstream.frames import Frame, frame_encoded, frame_sent
from inference.upstream.looks.repeatable import find_repeatable
from inference.upstream.presets.preset import Door
from inference.upstream.relay.faults import UpstreamFault
from inference.upstream.relay.forwarding import SentBody
from inference.upstream.requests.read import count_body_bytes, read_request
from inference.upstream.requests.sent_request import SentRequest

_MB = 1_000_000


async def pass_pictures(
    proxy: Proxy, door: Door, request: Request, arrival: Arrival, send: Send
) -> Response | None:
    """Gate the pictures of a request, pass them on, and check what comes back.

    Returns:
        the answer that is ours to give; ``None`` if the client has the upstream's.

    Raises:
        Refused: before or beside the gate.
        UpstreamFault: the upstream gave no answer.
        NotRecorded: a record could not be kept.
        ClientDisconnect: the client is gone.
    """
    service = proxy.service
    check_site(service, request)
    check_rate(service, arrival)
    with service.body_memory.reserve() as bodies, proxy.memory.reserve() as share:
        async with service.slots.enter(arrival.client):
            sent = await _receive(proxy, door, request, arrival, bodies.take)
            named = find_named(proxy, arrival, sent)
            arrivals = draw_arrivals(arrival, len(sent.uploads) + len(named))
            _check_count(proxy, door, len(arrivals))
            gated = await _screen(proxy, arrivals, sent, share)
        uploaded = [each for each in gated if isinstance(each, Accepted)]
        if len(uploaded) < len(gated):
            return await _refuse(proxy, arrivals, gated)
        body = await service.form_threads.run(_rebuild, proxy, sent, uploaded)
        share.take(len(body.data))
        own = arrivals[len(uploaded) :]
        called = [replace(each, arrival=a) for each, a in zip(named.values(), own, strict=False)]
        accepted = [*uploaded, *called]
        for path in named:
            proxy.uploads.note_call(path)
        parts = (Part(place, len(accepted)) for place in range(len(accepted)))
        waiting = [_wait(proxy, door, *pair) for pair in zip(accepted, parts, strict=True)]
        waiting = [_remember(proxy, door, request, sent, each) for each in waiting]
        try:
            return await _pass_on(proxy, door, request, body, waiting, send, share)
        except UpstreamFault as fault:
            proxy.looks.note_failure()
            for each in accepted:
                await service.record_threads.run(proxy.record_unanswered, each, fault.kind.status)
            raise


async def _receive(
    proxy: Proxy, door: Door, request: Request, arrival: Arrival, take: Callable[[int], None]
) -> SentRequest:
    check_packing(request)
    limit = count_body_bytes(door, proxy.limits)
    seconds = proxy.settings.connections.body_seconds
    chunks = await collect_body(request, limit, seconds, take)
    headers = request.scope["headers"]

    def read() -> SentRequest:
        body = b"".join(chunks)
        chunks.clear()
        return read_request(door, headers, body, proxy.limits)

    sent = await proxy.service.form_threads.run(read)
    for upload in sent.uploads:
        admit(proxy.service, arrival, upload)
    return sent


def _check_count(proxy: Proxy, door: Door, pictures: int) -> None:
    """Refuse what nobody could check before it goes out."""
    is_told_apart = pictures <= 1 or door.answer is None or holds_several(door.answer)
    if not is_told_apart and proxy.refuses_unread:
        raise Refused(SEVERAL_PICTURES)


async def _screen(
    proxy: Proxy, arrivals: Sequence[Arrival], sent: SentRequest, share: Share
) -> list[Accepted | Refusal]:
    """What the gate says of each picture; refusals are recorded then."""
    slots, outcomes = proxy.service.slots, []
    for arrival, upload in zip(arrivals, sent.uploads, strict=False):
        outcomes.append(await slots.work(arrival.client, proxy.screen, arrival, upload, share))
    return outcomes


async def _refuse(
    proxy: Proxy, arrivals: Sequence[Arrival], gated: Sequence[Accepted | Refusal]
) -> Response:
    """Refuse a request for one of its pictures; the others are recorded too."""
    pairs = list(zip(arrivals, gated, strict=False))
    own, refusal = next((a, each) for a, each in pairs if isinstance(each, Refusal))
    for each in gated:
        if isinstance(each, Accepted):
            await proxy.service.record_threads.run(
                proxy.record_unmeasured, each, refusal.status, NOT_PASSED_ON
            )
    response = refusal_problem(refusal, own.request_id)
    response.headers[ID_HEADER.decode()] = ", ".join(each.request_id for each, _ in pairs)
    return response


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


def _wait(proxy: Proxy, door: Door, accepted: Accepted, part: Part) -> Waiting:
    """How the answer to a picture will be read."""
    return Waiting(accepted, _frame(proxy, accepted), door.answer, part=part)


def _remember(
    proxy: Proxy, door: Door, request: Request, sent: SentRequest, waiting: Waiting
) -> Waiting:
    """The same with what is needed for further looks, if any can be taken."""
    asking = proxy.settings.asking
    if not asking.upstream_looks or waiting.form is None or waiting.part.count > 1:
        return waiting
    has_credentials = asking.upstream_look_credentials
    repeatable = find_repeatable(
        door, request.scope, sent, waiting.frame, has_credentials=has_credentials
    )
    return replace(waiting, repeatable=repeatable)


def _frame(proxy: Proxy, accepted: Accepted) -> Frame:
    decoded = accepted.screening.decoded
    if proxy.settings.attach.sent_pictures is SentPictures.ENCODED:
        return frame_encoded(decoded)
    return frame_sent(decoded, applies_exif=proxy.preset.applies_exif)


async def _pass_on(
    proxy: Proxy,
    door: Door,
    request: Request,
    body: SentBody,
    waiting: Sequence[Waiting],
    send: Send,
    share: Share,
) -> Response | None:
    if door.part == "upload":
        await pass_upload(proxy, request, body, waiting, send)
    elif door.part == "call":
        await pass_call(proxy, request, body, waiting, send)
    elif proxy.is_enforcing:
        return await _hold_answer(proxy, request, body, waiting, send, share)
    else:
        await _pass_answer(proxy, request, body, waiting, send, share)
    return None


async def _pass_answer(
    proxy: Proxy,
    request: Request,
    body: SentBody,
    waiting: Sequence[Waiting],
    send: Send,
    share: Share,
) -> None:
    """Let the client have the answer as it comes, and check it beside the traffic."""
    tap = AnswerTap(proxy.settings.attach.max_answer_mb * _MB, share.take_if_free)

    def take(piece: bytes) -> None:
        proxy.reader.courtesy.note()
        tap.take(piece)

    exchange = await proxy.relay.forward(
        request.scope,
        request.receive,
        send,
        body=body,
        tap=take,
        extra_headers=mark(waiting),
    )
    proxy.looks.note_exchange(exchange)
    for each in waiting:
        own, scope = tap.copy(), request.scope
        whole, files = await fetch_files(proxy, scope, each.form, exchange, own, share)
        await judge_beside(proxy, replace(each, files=files), exchange, whole)


async def _hold_answer(
    proxy: Proxy,
    request: Request,
    body: SentBody,
    waiting: Sequence[Waiting],
    send: Send,
    share: Share,
) -> Response | None:
    """Let the client have the answer after the checks, unless one of them refuses."""
    service, limit = proxy.service, proxy.settings.attach.max_answer_mb * _MB
    held = await proxy.relay.hold(
        request.scope, request.receive, limit, body=body, take_memory=share.take_if_free
    )
    proxy.looks.note_exchange(held.exchange)
    refused = []
    for each in waiting:
        tap = AnswerTap(limit)
        for chunk in held.chunks:
            tap.take(chunk)
        arrival, scope = each.accepted.arrival, request.scope
        whole, files = await fetch_files(proxy, scope, each.form, held.exchange, tap, share)
        read = replace(each, files=files)
        outcome = await service.slots.work(arrival.client, proxy.judge, read, held.exchange, whole)
        if outcome.refusal is not None:
            refused.append(refusal_problem(outcome.refusal, arrival.request_id))
    if refused:
        return refused[0]
    await held.release(send, mark(waiting))
    return None
