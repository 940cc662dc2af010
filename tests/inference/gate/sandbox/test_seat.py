"""A seat keeps a worker: it starts another, says so, and gives up only the upload at hand."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from signal import SIGKILL

import pytest

from inference.gate.media import MediaType
from inference.gate.sandbox.process import WorkerLimits
from inference.gate.sandbox.rlimits import Resources
from inference.gate.sandbox.seat import Seat
from tests.waiting import wait_for

State = Callable[[int], str]
TakeSeat = Callable[[WorkerLimits], Seat]


class _Brief(WorkerLimits):
    """A worker with little processor time for its whole life."""

    def resources(self) -> Resources:
        return Resources(self.memory_bytes, 3)


@pytest.fixture
def take_seat(ends: Counter[str]) -> Iterator[TakeSeat]:
    taken: list[Seat] = []

    def take(limits: WorkerLimits) -> Seat:
        taken.append(Seat(limits, lambda end: ends.update([end])))
        return taken[-1]

    yield take
    for seat in taken:
        seat.close()


def _refusal(seat: Seat, data: bytes, media_type: MediaType = MediaType.PNG) -> str:
    return seat.decode(data, media_type)[0].refusal


@pytest.mark.parametrize("program", ["/bin/false", "/nonexistent/python"])
def test_where_no_worker_starts_uploads_are_refused_until_one_does(
    take_seat: TakeSeat,
    worker_limits: Callable[..., WorkerLimits],
    ends: Counter[str],
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
) -> None:
    seat = take_seat(worker_limits(max_orders=1))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", program)
        assert _refusal(seat, png) == ""
        assert [_refusal(seat, png) for _ in range(2)] == ["decoder_unavailable"] * 2
    assert set(ends) == {"recycled", "not_started"}
    assert _refusal(seat, png) == ""


def test_a_worker_that_died_in_between_is_replaced_before_the_upload_is_given(
    take_seat: TakeSeat,
    worker_limits: Callable[..., WorkerLimits],
    ends: Counter[str],
    png: bytes,
    state: State,
) -> None:
    seat = take_seat(worker_limits())
    assert _refusal(seat, png) == ""
    pid = seat.pid
    assert pid
    os.kill(pid, SIGKILL)
    wait_for(lambda: not state(pid))
    assert _refusal(seat, png) == ""
    assert ends == {"killed": 1}
    assert seat.pid != pid


def test_every_order_has_a_number_of_its_own_over_all_workers_of_a_seat(
    take_seat: TakeSeat, worker_limits: Callable[..., WorkerLimits], png: bytes
) -> None:
    seat = take_seat(worker_limits(max_orders=2))
    replies = [seat.decode(data, MediaType.PNG)[0] for data in (png, png[:500], png, png)]
    assert len({reply.number for reply in replies}) == len(replies)
    assert [reply.refusal for reply in replies] == ["", "truncated", "", ""]


def test_a_closed_seat_has_no_worker(
    take_seat: TakeSeat, worker_limits: Callable[..., WorkerLimits], state: State
) -> None:
    seat = take_seat(worker_limits())
    pid = seat.pid
    assert pid
    seat.close()
    assert not state(pid)
    assert seat.pid is None


def test_a_worker_that_is_out_of_processor_time_took_too_long(
    take_seat: TakeSeat,
    worker_limits: Callable[..., WorkerLimits],
    ends: Counter[str],
    laborious: bytes,
) -> None:
    limits = worker_limits()
    seat = take_seat(_Brief(**{**asdict(limits), "picture": limits.picture}))
    refusals = (_refusal(seat, laborious, MediaType.JPEG) for _ in range(99))
    assert next(filter(None, refusals)) == "takes_too_long"
    assert ends == {"cpu": 1}


def test_marks_of_the_whole_file_and_signs_of_its_pieces_come_together(
    take_seat: TakeSeat, worker_limits: Callable[..., WorkerLimits], png: bytes
) -> None:
    seat = take_seat(worker_limits())
    reply, _ = seat.decode(png + b"more <?php echo 1;", MediaType.PNG)
    assert set(reply.signs) == {"script_in_metadata", "trailing_note"}
    assert seat.decode(png, MediaType.PNG)[0].signs == {}


def test_marks_do_not_turn_a_refusal_into_anything_else(
    take_seat: TakeSeat, worker_limits: Callable[..., WorkerLimits], png: bytes
) -> None:
    reply, image = take_seat(worker_limits()).decode(png[:40] + b"<?php ", MediaType.PNG)
    assert reply.refusal
    assert image is None
