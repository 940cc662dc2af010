"""Passes pictures on, and has their answers checked: beside the traffic, or before they leave."""

from dataclasses import replace

from starlette.responses import Response

from inference.http.problems import refusal_problem
from inference.http.proxy.gated_request import GatedRequest
from inference.http.proxy.part_files import fetch_files
from inference.http.proxy.records import judge_beside, mark
from inference.results.waiting import Waiting
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.relay.exchange import Exchange


async def pass_answer(gated: GatedRequest) -> None:
    """Let the client have the answer as it comes, and check it beside the traffic.

    Raises:
        UpstreamFault: the upstream gave no answer.
        NotRecorded: a record could not be kept.
    """
    proxy, request, waiting = gated.proxy, gated.request, gated.waiting
    tap = AnswerTap(proxy.settings.attach.max_answer_bytes, gated.share.take_if_free)

    def take(piece: bytes) -> None:
        proxy.reader.courtesy.note()
        tap.take(piece)

    exchange = await proxy.relay.forward(
        request.scope,
        request.receive,
        gated.send,
        body=gated.body,
        tap=take,
        extra_headers=mark(waiting),
    )
    proxy.looks.note_exchange(exchange)
    for each in waiting:
        whole, complete = await _complete(gated, each, exchange, tap.copy())
        await judge_beside(proxy, complete, exchange, whole)


async def hold_answer(gated: GatedRequest) -> Response | None:
    """Let the client have the answer after the checks, unless one of them refuses.

    Returns:
        the refusal; ``None`` if the client has the answer.

    Raises:
        UpstreamFault: the upstream gave no answer.
        NotRecorded: a record could not be kept.
    """
    proxy, request = gated.proxy, gated.request
    limit, share = proxy.settings.attach.max_answer_bytes, gated.share
    held = await proxy.relay.hold(
        request.scope, request.receive, limit, body=gated.body, take_memory=share.take_if_free
    )
    proxy.looks.note_exchange(held.exchange)
    refused = []
    for each in gated.waiting:
        tap = AnswerTap(limit)
        for chunk in held.chunks:
            tap.take(chunk)
        refused += await _judge(gated, each, held.exchange, tap)
    if refused:
        return refused[0]
    await held.release(gated.send, mark(gated.waiting))
    return None


async def _judge(
    gated: GatedRequest, waiting: Waiting, exchange: Exchange, tap: AnswerTap
) -> list[Response]:
    """Check what an answer says of one picture; the refusal, if there is one."""
    proxy, arrival = gated.proxy, waiting.accepted.arrival
    whole, complete = await _complete(gated, waiting, exchange, tap)
    slots = proxy.service.slots
    outcome = await slots.work(arrival.client, proxy.judge, complete, exchange, whole)
    if outcome.refusal is None:
        return []
    return [refusal_problem(outcome.refusal, arrival.request_id)]


async def _complete(
    gated: GatedRequest, waiting: Waiting, exchange: Exchange, tap: AnswerTap
) -> tuple[AnswerTap, Waiting]:
    """The answer again, and its picture with the files that the answer only points at."""
    whole, files = await fetch_files(
        gated.proxy, gated.request.scope, waiting.form, exchange, tap, gated.share, waiting.part
    )
    return whole, replace(waiting, files=files)
