"""No moment of the main thread is one in which a signal is lost."""

import signal
from threading import Event, Thread
from typing import Any

import pytest

from jobs.stop_signals import stop_on_signals
from tests.waiting import PATIENCE_SECONDS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_look_at_the_event_sets_it(number: signal.Signals) -> None:
    stop: Any = Event()
    with stop_on_signals(stop):
        with stop._cond:  # as `wait` holds it
            signal.raise_signal(number)
        assert stop.wait(PATIENCE_SECONDS)


def test_another_signal_stops_nothing_and_handlers_come_back() -> None:
    stop, seen = Event(), Event()
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: seen.set())
    try:
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        with stop_on_signals(stop):
            signal.raise_signal(signal.SIGUSR1)
            signal.raise_signal(signal.SIGTERM)
            assert stop.wait(PATIENCE_SECONDS)
            stop.clear()
            signal.raise_signal(signal.SIGUSR1)
        assert seen.is_set()
        assert not stop.is_set()
        assert handlers == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_another_thread_listens_to_no_signals() -> None:
    handler, seen = signal.getsignal(signal.SIGTERM), []

    def look() -> None:
        with stop_on_signals(Event()):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [handler]
