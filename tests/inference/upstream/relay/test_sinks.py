"""Answers that are kept until somebody has looked at them."""

from asyncio import run
from pathlib import Path
from typing import Any

import pytest

from inference.admission.byte_budget import ByteBudget, Share
from inference.upstream.relay.exchange import Ending, Exchange
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.sinks import HeldAnswer, HoldingSink

PIECE = bytes(100_000)
LIMIT_BYTES = 64_000_000


async def _fill(sink: HoldingSink, pieces: int, length: int | None = None) -> None:
    headers = [] if length is None else [(b"Content-Length", str(length).encode())]
    await sink.begin(200, headers)
    for _ in range(pieces):
        await sink.write(PIECE)
    await sink.end()


def test_a_large_answer_is_kept_and_released_in_the_pieces_it_came_in() -> None:
    sink, sent = HoldingSink(LIMIT_BYTES, lambda _: True), list[dict[str, Any]]()

    async def send(message: Any) -> None:
        sent.append(message)

    async def hold_and_release() -> None:
        await _fill(sink, 590)
        exchange = Exchange(200, "", "", 0, 0, 0, 0, Ending.WHOLE)
        await HeldAnswer(exchange, sink.status, sink.headers, sink.kept).release(send)

    run(hold_and_release())
    bodies = [message["body"] for message in sent[1:]]
    assert all(body is PIECE for body in bodies[:-1])
    assert len(bodies) == 591
    assert bodies[-1] == b""


def test_small_pieces_are_put_together() -> None:
    async def hold() -> tuple[bytes, ...]:
        sink = HoldingSink(LIMIT_BYTES, lambda _: True)
        await sink.begin(200, [])
        for number in range(100_000):
            await sink.write(b"%d" % (number % 10))
        return tuple(sink.kept.drain())

    chunks = run(hold())
    assert len(chunks) == 2
    assert b"".join(chunks) == b"0123456789" * 10_000


@pytest.mark.parametrize("length", [None, 1_000_000])
def test_answers_that_are_held_are_bounded_together(length: int | None) -> None:
    budget = ByteBudget(1_500_000)

    def hold(share: Share, pieces: int) -> None:
        run(_fill(HoldingSink(LIMIT_BYTES, share.take_if_free), pieces, length))

    with budget.reserve() as first:
        hold(first, 10)
        assert budget.used_bytes == 1_000_000
        with budget.reserve() as second:
            with pytest.raises(UpstreamFault) as fault:
                hold(second, 10)
            assert fault.value.kind is FaultKind.FULL
            # One that says its length takes nothing from those that can still be held.
            assert second.byte_count == (500_000 if length is None else 0)
        assert budget.used_bytes == 1_000_000
    assert budget.used_bytes == 0


def test_a_large_answer_is_held_on_disk_and_released_more_than_once(tmp_path: Path) -> None:
    sent = list[dict[str, Any]]()

    async def send(message: Any) -> None:
        sent.append(message)

    async def hold_and_release() -> None:
        sink = HoldingSink(LIMIT_BYTES, lambda _: True, tmp_path)
        await _fill(sink, 100)
        exchange = Exchange(200, "", "", 0, 0, 0, 0, Ending.WHOLE)
        held = HeldAnswer(exchange, sink.status, sink.headers, sink.kept)
        assert held.body == PIECE * 100
        await held.release(send)

    run(hold_and_release())
    assert b"".join(message["body"] for message in sent[1:]) == PIECE * 100
    # In the blocks of the file, not in the pieces that came.
    assert len(sent) < 70


def test_a_large_answer_without_room_on_disk_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UpstreamFault) as fault:
        run(_fill(HoldingSink(LIMIT_BYTES, lambda _: True, tmp_path / "missing"), 100))
    assert fault.value.kind is FaultKind.FULL
