"""A queue that is bounded by items and by bytes, and does all of its work."""

from collections.abc import Callable
from functools import partial
from threading import Event

from inference.upstream.work_queue import Work, WorkQueue
from tests.waiting import PATIENCE_SECONDS, wait_for


def _work(run: Callable[[], object] = lambda: None, size: int = 1) -> Work:
    def act() -> None:
        run()

    return Work(size, act)


def test_work_is_done_in_its_order_and_gives_its_place_back() -> None:
    done: list[int] = []
    queue = WorkQueue("test", 100, 100, threads=1)
    for number in range(20):
        assert queue.put(_work(partial(done.append, number)))
    wait_for(lambda: len(queue) == 0)
    assert (done, queue.size_bytes) == (list(range(20)), 0)
    assert queue.close(PATIENCE_SECONDS) == 0


def test_work_counts_until_it_is_done_by_number_and_by_bytes() -> None:
    go_on = Event()
    queue = WorkQueue("test", 2, 10, threads=1)
    assert queue.put(_work(go_on.wait, size=4))
    assert not queue.has_room(7)
    assert not queue.put(_work(size=7))
    assert queue.put(_work(size=6))
    assert not queue.put(_work(size=0))
    assert (len(queue), queue.size_bytes) == (2, 10)
    go_on.set()
    wait_for(lambda: len(queue) == 0)
    assert queue.put(_work(size=10))
    queue.close(PATIENCE_SECONDS)


def test_what_waits_at_the_end_is_done_and_nothing_more_is_taken() -> None:
    go_on, done = Event(), list[int]()
    queue = WorkQueue("test", 100, 100, threads=1)
    queue.put(_work(go_on.wait))
    for number in range(5):
        queue.put(_work(partial(done.append, number)))
    go_on.set()
    assert queue.close(PATIENCE_SECONDS) == 0
    assert len(done) == 5
    assert not queue.put(_work())


def test_work_that_hangs_keeps_nobody_from_closing() -> None:
    go_on = Event()
    queue = WorkQueue("test", 100, 100, threads=1)
    queue.put(_work(go_on.wait))
    wait_for(lambda: len(queue) == 1)
    queue.put(_work())
    assert queue.close(0) in {1, 2}  # the thread may not have begun yet
    go_on.set()
    wait_for(lambda: not any(thread.is_alive() for thread in queue._threads))


def test_others_work_while_one_waits_aside() -> None:
    began, go_on, done = Event(), Event(), list[str]()
    queue = WorkQueue("test", 100, 100, threads=1, waiting=1)

    def wait() -> None:
        with queue.wait_aside():
            began.set()
            go_on.wait()
        done.append("waited")

    queue.put(_work(wait))
    began.wait()
    queue.put(_work(partial(done.append, "other")))
    wait_for(lambda: done == ["other"])
    assert queue.is_half_empty
    go_on.set()
    assert queue.close(PATIENCE_SECONDS) == 0
    assert done == ["other", "waited"]


def test_a_further_thread_does_not_work_beside_the_first() -> None:
    began, go_on, done = Event(), Event(), list[int]()
    queue = WorkQueue("test", 4, 100, threads=1, waiting=1)

    def work() -> None:
        began.set()
        go_on.wait()

    queue.put(_work(work))
    began.wait()
    queue.put(_work(partial(done.append, 1)))
    assert not queue.is_half_empty
    assert done == []
    go_on.set()
    assert queue.close(PATIENCE_SECONDS) == 0
    assert done == [1]
