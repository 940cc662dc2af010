"""Passes pictures on, and has their answers checked: beside the traffic, or before they leave."""

from asyncio import timeout
from dataclasses import replace

from starlette.responses import Response

from inference.http.problems import refusal_problem
from inference.http.proxy.exchanges.part_files import fetch_files
from inference.http.proxy.gated_request import GatedRequest
from inference.http.proxy.records import judge_beside, leave_unmeasured, mark
from inference.http.proxy.slow_clients import PatientSend
from inference.results.waiting import Waiting
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.relay.exchange import Exchange
from inference.upstream.relay.sinks import HeldAnswer


async def pass_answer(gated: GatedRequest) -> None:
    """Let the client have the answer as it comes, and check it beside the traffic.

    Raises:
        UpstreamFault: the upstream gave no answer.
        NotRecorded: a record could not be kept.
    """
    proxy, request, attach = gated.proxy, gated.request, gated.proxy.settings.attach
    folder = proxy.settings.store.var_dir
    tap = AnswerTap(attach.max_answer_bytes, gated.share.take_if_free, folder)

    def take(piece: bytes) -> None:
        proxy.reader.courtesy.note()
        tap.take(piece)

    async def give_up(status: int) -> None:
        tap.give_up()
        await leave_unmeasured(proxy, gated.waiting, status)
        gated.share.give_back(gated.share.byte_count - len(gated.body.data))

    patient = PatientSend(gated.send, attach.slow_client_seconds, give_up)
    exchange = await proxy.relay.forward(
        request.scope,
        request.receive,
        patient,
        body=gated.body,
        tap=take,
        extra_headers=mark(gated.waiting),
    )
    proxy.looks.note_exchange(exchange)
    for each in gated.waiting:
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
        request.scope,
        request.receive,
        limit,
        body=gated.body,
        take_memory=share.take_if_free,
        folder=proxy.settings.store.var_dir,
    )
    proxy.looks.note_exchange(held.exchange)
    refused = []
    for each in gated.waiting:
        refused += await _judge(gated, each, held.exchange, held.kept.copy())
    if refused:
        return refused[0]
    await _release(gated, held)
    return None


async def _release(gated: GatedRequest, held: HeldAnswer) -> None:
    """Send an answer, as long as its client does not keep us waiting for too long."""
    proxy = gated.proxy
    try:
        async with timeout(proxy.settings.attach.slow_client_seconds):
            await held.release(gated.send, mark(gated.waiting))
    except TimeoutError:
        # What is begun and not ended makes the server close the connection.
        proxy.service.metrics.broken_off.inc()


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
