from inference.upstream.courtesy import Courtesy


def test_chunks_are_slowed_down_only_while_answers_pass_and_little_waits() -> None:
    now, has_room, pauses = 100.0, True, list[float]()
    courtesy = Courtesy(lambda: has_room, lambda: now, pauses.append)
    chunks = [b"one", b"two", b"three"]
    assert list(courtesy.slow_down(chunks)) == chunks
    assert pauses == []
    courtesy.note()
    now += 0.01
    assert list(courtesy.slow_down(chunks)) == chunks
    assert len(pauses) == 3
    has_room = False
    assert list(courtesy.slow_down(chunks)) == chunks
    assert len(pauses) == 3
    has_room = True
    now += 0.02
    assert list(courtesy.slow_down(chunks)) == chunks
    assert len(pauses) == 3


def test_checks_wait_until_nothing_passes_or_much_waits_or_it_takes_long() -> None:
    now, pauses = [100.0], list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    has_room = [True]
    courtesy = Courtesy(lambda: has_room[0], lambda: now[0], pause)
    courtesy.wait()
    assert pauses == []
    courtesy.note()
    courtesy.wait()
    assert 3 <= len(pauses) <= 5
    courtesy.note()
    has_room[0] = False
    courtesy.wait()
    assert len(pauses) <= 5


def test_checks_do_not_wait_for_ever_while_something_passes() -> None:
    now = [100.0]

    def go_on(seconds: float) -> None:
        now[0] += seconds
        courtesy.note()

    courtesy = Courtesy(lambda: True, lambda: now[0], go_on)
    courtesy.note()
    courtesy.wait()
    assert now[0] < 101
