"""SIGINT and SIGTERM stop a process whatever its main thread does just then."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from socket import socket, socketpair
from threading import Event, Thread, current_thread, main_thread

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals(stop: Event) -> Iterator[None]:
    """SIGINT and SIGTERM set the event; only the main thread may listen to signals.

    A thread sets it. Python calls a handler between two steps of the main thread: one that begins
    to wait for the event as the signal comes would not be woken, and one that holds the event's
    lock would wait for itself.
    """
    if current_thread() is not main_thread():
        yield
        return
    reader, writer = socketpair()
    writer.setblocking(False)
    listener = Thread(target=_set_when_told, args=(reader, stop), daemon=True, name="signals")
    with closing(reader):
        listener.start()
        descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, _leave_to_listener) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(descriptor)
            writer.close()
            listener.join()


def _leave_to_listener(_number: int, _frame: object) -> None:
    """Python writes the number for the listener before it calls this."""


def _set_when_told(reader: socket, stop: Event) -> None:
    while number := reader.recv(1):
        if number[0] in _STOP_SIGNALS:
            stop.set()
